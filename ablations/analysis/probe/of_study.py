"""The gates of a study's networks, of those whose weights are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.summary import NetworkSummary, summarise
from ablations.analysis.results.results import Results
from ablations.errors import RecordError
from ablations.planning.networks.row import NetworkRow
from ablations.planning.row import Row
from ablations.running.data import Prepared, open_prepared
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import has_weights
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.words import counted

_KEEP = "with `keep_weights: true` a study keeps them from then on, and `ablate reproduce` makes those of a trial again"


def probe_results(
    results: Results,
    *,
    rows: Sequence[str] = (),
    images_per_class: int | None = None,
    data_dir: Path = Path("data"),
    say: Callable[[str], object] = lambda text: None,
) -> GateProbe:
    """Return the gates of a study's trained networks on its test images; nothing is trained.

    Args:
        results: of a study of networks, which may be unfinished.
        rows: labels of those that are probed; all if not given.
        images_per_class: the first so many test images of each class; all if None. The paper has 50.
        data_dir: holds the prepared data sets.
        say: is told what is done next.

    Raises:
        RecordError: no weights are kept, or a file of them is damaged.
        DataError: the images are not those of the record.
        UserError: there is no such row, or none of the networks has gates.
    """
    if images_per_class is not None and images_per_class < 2:
        raise UserError(f"`images_per_class` must be at least 2, for a spread, got {images_per_class!r}")
    name = results.asked.study.name
    asked = (results.design.only(rows) if rows else results.design).rows
    with_gates = [row for row in asked if isinstance(row, NetworkRow) and row.variant is not None]
    if not with_gates:
        raise UserError(f"study {name!r} has no gates to probe: {_without_gates(asked)}")
    kept = {row.label: dict(_kept(results, row)) for row in with_gates}
    if not any(kept.values()):
        raise _nothing_kept(results, with_gates)
    probing = _Probing(results, images_per_class, data_dir, say)
    probed = [ProbedRow(row.label, probing.networks(row, kept[row.label])) for row in with_gates]
    found = tuple(row for row in probed if row.networks)
    if not found:
        raise UserError(f"study {name!r} has no gates to probe: {' '.join(probing.notes)}")
    notes = (*probing.notes, *_not_kept(results, with_gates, kept))
    return GateProbe(name, probing.classes, found, notes)


class _Probing:
    """What is the same for all networks of a study, and what was said of some."""

    def __init__(
        self, results: Results, images_per_class: int | None, data_dir: Path, say: Callable[[str], object]
    ) -> None:
        self._folder, self._images_per_class, self._say = results.record.folder, images_per_class, say
        self.notes: list[str] = []
        self.classes: tuple[str, ...] = ()
        self._open = lru_cache(maxsize=1)(lambda spec, digest: open_prepared(spec, data_dir, digest))

    def networks(self, row: NetworkRow, lines: dict[int, TrialRecord]) -> dict[int, NetworkSummary]:
        """Return the gates of a row's networks by seed; none where they cannot be read, which is noted."""
        try:
            found = {seed: self._network(row, seed, line) for seed, line in lines.items()}
        except _NotRead as error:
            self.notes.append(f"{row.label} is not probed: {error}.")
            return {}
        if found and (unread := next(iter(found.values())).not_probed):
            self.notes.append(
                f"{row.label}: {'; '.join(f'{path} is not read, {why}' for path, why in unread.items())}."
            )
        return found

    def _network(self, row: NetworkRow, seed: int, line: TrialRecord) -> NetworkSummary:
        from ablations.running.machine.devices import choose_device
        from ablations.running.probe.tested_images import gates_of_test_images
        from ablations.running.training.building import kept_network

        self._say(f"{row.label}, seed {seed}")
        data: Prepared = self._open(row.data, line.data_digest)
        self.classes = data.classes
        network = kept_network(self._folder, line)
        stages = find_backbone(row.backbone).stages
        try:
            collected = gates_of_test_images(
                network, data, choose_device(), stages=stages, images_per_class=self._images_per_class
            )
        except UserError as error:
            raise _NotRead(str(error)) from error
        return summarise(collected, len(data.classes))


class _NotRead(Exception):
    """A network has no gates that can be read."""


def _kept(results: Results, row: Row) -> Iterator[tuple[int, TrialRecord]]:
    for seed in results.design.seeds:
        line = results.measured.get(results.key_of(row, seed))
        if line is not None and has_weights(results.record.folder, line):
            yield seed, line


def _without_gates(rows: Sequence[Row]) -> str:
    if not any(isinstance(row, NetworkRow) for row in rows):
        return "its trials train no networks of this package"
    return f"{', '.join(repr(row.label) for row in rows)} {'is' if len(rows) == 1 else 'are'} plain"


def _nothing_kept(results: Results, rows: Sequence[Row]) -> RecordError:
    keys = {results.key_of(row, seed) for row in rows for seed in results.design.seeds}
    finished = counted(len(keys & results.measured.keys()), "finished trial")
    return RecordError(
        f"study {results.asked.study.name!r} has {finished} with gates and the weights of none in"
        f" {results.record.folder}: {_KEEP}"
    )


def _not_kept(
    results: Results, rows: Sequence[Row], kept: Mapping[str, Mapping[int, TrialRecord]]
) -> Iterator[str]:
    """Say which trials are missing, and why."""
    for row in rows:
        known = kept[row.label]
        finished = [s for s in results.design.seeds if results.key_of(row, s) in results.measured]
        lost = [seed for seed in finished if seed not in known]
        waiting = [seed for seed in results.design.seeds if seed not in finished]
        for seeds, why in ((lost, "its weights are not kept"), (waiting, "it is not finished")):
            if seeds:
                why = why if len(seeds) == 1 else why.replace("its", "their").replace("it is", "they are")
                be = "is" if len(seeds) == 1 else "are"
                yield f"{row.label}: seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))} {be} not probed, {why}."
