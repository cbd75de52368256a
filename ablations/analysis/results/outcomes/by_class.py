"""Where the variants of a study help: errors by class, and on which images its rows agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.outcomes.agreement import agreement, always_missed
from ablations.analysis.stats.outcomes.by_class import ClassDifference, class_differences
from ablations.running.record.trial_record import TrialRecord

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

LEVEL = 0.05
"""At which a class differs, after the correction."""

_MOST_PAIRED = 50


@dataclass(frozen=True)
class OfClass:
    """One class of one row.

    Attributes:
        name: of the class.
        images: how many test images it has.
        found: the difference to the baseline; its interval holds together with those of all classes and rows.
        p: corrected over all classes and rows (Holm); None where there is no test.
    """

    name: str
    images: int
    found: ClassDifference
    p: float | None

    @property
    def differs(self) -> bool:
        """Whether the class differs from the baseline's, after the correction."""
        return self.p is not None and self.p < LEVEL


@dataclass(frozen=True)
class RowByClass:
    """One row of a study, image by image.

    Attributes:
        label: its name.
        seeds: that it has in common with the baseline.
        classes: in the order of the data set; empty where the labels of the images are not known.
        with_baseline: share of images on which it agrees with the baseline, with different seeds; None for the
            baseline, and where there are no two.
        between_seeds: share of images on which two of its seeds agree; None below two.
        error: mean over all its seeds, in per cent.
        missed: test images that the first of its seeds, as many as every row has, all get wrong.
    """

    label: str
    seeds: int
    classes: tuple[OfClass, ...]
    with_baseline: float | None
    between_seeds: float | None
    error: float
    missed: int


@dataclass(frozen=True)
class ByClass:
    """What a study's outcomes say of classes and images.

    Attributes:
        baseline: label of the row that the others are compared with.
        rows: the baseline first; then those that have a seed in common with it, in the order of the study.
        images: test images.
        agreements: share of images on which two rows agree, with different seeds, by their labels.
        missed: test images that every seed of every row gets wrong.
        missed_by_class: how many of these each class has, by name, the most first; empty where labels are not known.
        seeds_of_missed: how many seeds of each row its own missed images are of: the fewest that a row has.
        looked_at_before: whether the study was analysed with fewer seeds, too, of which the intervals know nothing.
        racing: whether a race still adds seeds, so that no class is tested yet.
    """

    baseline: str
    rows: tuple[RowByClass, ...]
    images: int
    agreements: Mapping[tuple[str, str], float]
    missed: int
    seeds_of_missed: int
    missed_by_class: Mapping[str, int] = field(default_factory=dict)
    looked_at_before: bool = False
    racing: bool = False

    @property
    def comparisons(self) -> int:
        """How many classes of rows are compared with the baseline's, which are corrected together."""
        return sum(len(row.classes) for row in self.rows)


_Bits = NDArray[np.bool_]
_BySeed = Mapping[int, _Bits]
"""(images,) bool by seed."""


def by_class(results: Results) -> ByClass | None:
    """Return what a study's outcomes say; None where those of the baseline, or of all other rows, are not known.

    Trials that were tested on other images than the baseline's first are passed over.
    """
    baseline = results.design.baseline.label
    told = {row.label: results.of_row(row) for row in results.design.rows}
    first, images = next(_with_outcomes(results, told[baseline]), (None, None))
    if first is None or images is None:
        return None
    known = {
        label: {
            line.trial["seed"]: right
            for line, right in _with_outcomes(results, lines)
            if line.data_digest == first.data_digest and right.shape == images.shape
        }
        for label, lines in told.items()
    }
    ours = known[baseline]
    compared = [label for label, found in known.items() if label != baseline and found.keys() & ours.keys()]
    if not compared:
        return None
    labels = results.record.labels(first.key)
    classes: dict[str, tuple[OfClass, ...]] = {}
    if labels is not None:
        found = {
            label: class_differences(*_paired(known[label], ours), labels.labels, members=len(compared))
            for label in compared
        }
        classes = _corrected(
            found, labels.classes, np.bincount(labels.labels).tolist(), tested=not results.racing
        )
    shown = {label: known[label] for label in (baseline, *compared)}
    agreements = _agreements(shown, baseline)
    missed = always_missed(map(_stacked, shown.values()))
    fewest = min(map(len, shown.values()))
    return ByClass(
        baseline,
        rows=tuple(
            _row(
                label,
                own,
                len(own.keys() & ours.keys()),
                classes.get(label, ()),
                agreements.get((baseline, label)),
                fewest,
            )
            for label, own in shown.items()
        ),
        images=len(missed),
        agreements=agreements,
        missed=int(missed.sum()),
        seeds_of_missed=fewest,
        missed_by_class={} if labels is None else _counted(labels.labels[missed], labels.classes),
        looked_at_before=results.schedule is not None,
        racing=results.racing,
    )


def _with_outcomes(results: Results, lines: Iterable[TrialRecord]) -> Iterator[tuple[TrialRecord, _Bits]]:
    for line in lines:
        right = results.record.outcomes(line.key)
        if right is not None:
            yield line, right


def _paired(one: _BySeed, other: _BySeed) -> tuple[_Bits, _Bits]:
    seeds = sorted(one.keys() & other.keys())
    return np.stack([one[seed] for seed in seeds]), np.stack([other[seed] for seed in seeds])


def _stacked(found: _BySeed) -> _Bits:
    return np.stack([found[seed] for seed in sorted(found)])


def _corrected(
    found: Mapping[str, tuple[ClassDifference, ...]],
    names: Sequence[str],
    images: Sequence[int],
    *,
    tested: bool,
) -> dict[str, tuple[OfClass, ...]]:
    corrected = iter(holm([one.difference.p if tested else None for row in found.values() for one in row]))
    return {
        label: tuple(OfClass(names[one.label], int(images[one.label]), one, next(corrected)) for one in row)
        for label, row in found.items()
    }


def _agreements(shown: Mapping[str, _BySeed], baseline: str) -> dict[tuple[str, str], float]:
    """Return the agreement of each pair of rows; of very many rows, that with the baseline alone."""
    pairs = combinations(shown, 2) if len(shown) <= _MOST_PAIRED else ((baseline, label) for label in shown)
    found = {(one, other): agreement(shown[one], shown[other]) for one, other in pairs if one != other}
    return {pair: share for pair, share in found.items() if share is not None}


def _row(
    label: str,
    own: _BySeed,
    seeds: int,
    classes: tuple[OfClass, ...],
    with_baseline: float | None,
    fewest: int,
) -> RowByClass:
    right = _stacked(own)
    error, missed = 100 * float((~right).mean()), int(always_missed([right[:fewest]]).sum())
    return RowByClass(label, seeds, classes, with_baseline, agreement(own, own), error, missed)


def _counted(labels: NDArray[np.int64], names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(labels, minlength=len(names))
    return {names[place]: int(counts[place]) for place in np.argsort(-counts, kind="stable") if counts[place]}
