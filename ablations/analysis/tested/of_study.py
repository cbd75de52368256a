"""Tests the networks of a study whose weights are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablations.analysis.results.results import Results
from ablations.errors import RecordError
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.row import NetworkRow
from ablations.planning.networks.views import ONE_CROP, Views
from ablations.running.data import Prepared, open_prepared
from ablations.running.record.tested.lines import MeasuredLine
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import has_weights
from ablations.running.testing.image_sources import ImagesToTest, own_images
from ablations.running.testing.measuring import Measuring, Member
from ablations.running.testing.second_sets import second_images
from senet_core.errors import UserError, unknown

ENSEMBLES = ("seeds", "rows")
"""seeds: all networks of a row together; rows: the networks of all rows with one seed."""

_KEEP = "with `keep_weights: true` a study keeps them from then on, and `ablate reproduce` makes those of a trial again"


@dataclass(frozen=True)
class AskedTests:
    """What is tested.

    Attributes:
        views: what the networks see of each image.
        ensembles: of `ENSEMBLES`, tested beside the networks themselves.
        images: name of a second test set; None for the test images of each row's data.
        path: where the second test set is.
        rows: labels of those that are tested; all if empty.

    Raises:
        UserError: there is no such ensemble, or a second test set has no path, or a path no set.
    """

    views: Views = ONE_CROP
    ensembles: tuple[str, ...] = ()
    images: str | None = None
    path: Path | None = None
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.ensembles:
            if name not in ENSEMBLES:
                raise unknown("ensemble", name, ENSEMBLES)
        if (self.images is None) != (self.path is None):
            raise UserError("`images` and `path` go together: the name of a second test set, and where it is")


def run_tests(
    results: Results,
    asked: AskedTests,
    *,
    data_dir: Path = Path("data"),
    say: Callable[[str], object] = lambda text: None,
) -> tuple[MeasuredLine, ...]:
    """Test the networks of a study, and return what is recorded of that, network by network, then the ensembles.

    Each is recorded when it has been tested; a run that was ended goes on behind it. Nothing is trained or chosen.

    Args:
        results: of a study of networks, which may be unfinished.
        asked: what is tested.
        data_dir: holds the prepared data sets.
        say: is told what is done next.

    Raises:
        RecordError: no weights are kept, or a file of them is damaged.
        DataError: the images are missing, or not those of the record.
        UserError: there is no such row, or its networks are judged on held-back images.
    """
    name = results.asked.study.name
    every = (results.design.only(list(asked.rows)) if asked.rows else results.design).rows
    rows = [row for row in every if isinstance(row, NetworkRow)]
    if not rows:
        raise UserError(f"study {name!r} trains no networks of this package")
    held = next((row for row in rows if row.data.validation_images is not None), None)
    if held is not None:
        raise UserError(
            f"row {held.label!r} is judged on images that are held back: the test images are out of its reach"
        )
    kept = {row.label: dict(_kept(results, row)) for row in rows}
    if not any(kept.values()):
        raise RecordError(
            f"study {name!r} has the weights of no finished trial in {results.record.folder}: {_KEEP}"
        )
    measuring = Measuring(results.record.folder, asked.views, keep=bool(asked.ensembles), say=say)
    return tuple(_lines(rows, kept, asked, data_dir, measuring))


def _kept(results: Results, row: NetworkRow) -> Iterator[tuple[int, TrialRecord]]:
    for seed in results.asked_seeds(row):
        line = results.measured.get(results.key_of(row, seed))
        if line is not None and has_weights(results.record.folder, line):
            yield seed, line


Kept = Mapping[str, Mapping[int, TrialRecord]]
"""Lines whose networks are kept, by row and seed."""


def _lines(
    rows: Sequence[NetworkRow], kept: Kept, asked: AskedTests, data_dir: Path, measuring: Measuring
) -> Iterator[MeasuredLine]:
    by_data: dict[tuple[DataSpec, str], list[NetworkRow]] = {}
    for row in rows:
        for digest in dict.fromkeys(line.data_digest for line in kept[row.label].values()):
            by_data.setdefault((row.data, digest), []).append(row)
    for (spec, digest), of_data in by_data.items():
        data = open_prepared(spec, data_dir, digest)
        for images in _images(asked, spec, data):
            found = {
                (row.label, seed): Member(row.label, line, data, images)
                for row in of_data
                for seed, line in kept[row.label].items()
                if line.data_digest == digest
            }
            for member in found.values():
                yield measuring.one(member)
            for members in _ensembles(found, asked.ensembles):
                yield measuring.together(members)


def _images(asked: AskedTests, spec: DataSpec, data: Prepared) -> tuple[ImagesToTest, ...]:
    if asked.images is None or asked.path is None:
        return (own_images(spec, data, asked.views),)
    return second_images(asked.images, asked.path, spec.name)


def _ensembles(
    found: Mapping[tuple[str, int], Member], wanted: Sequence[str]
) -> Iterator[tuple[Member, ...]]:
    """Yield the members of each ensemble that has more than one."""
    for name in wanted:
        groups: dict[object, list[Member]] = {}
        for (label, seed), member in found.items():
            groups.setdefault(label if name == "seeds" else seed, []).append(member)
        yield from (tuple(members) for members in groups.values() if len(members) > 1)
