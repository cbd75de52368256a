"""How far a study is, from its record and what running trials say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ablations.planning.design import Design
from ablations.planning.row import Cell
from ablations.running.record.study_paths import Places
from ablations.running.record.trial_file import Record


@dataclass(frozen=True)
class RowStatus:
    """One row: numbers of trials."""

    label: str
    finished: int
    failed: int
    running: int
    left: int


@dataclass(frozen=True)
class StudyStatus:
    """A whole study.

    Attributes:
        study: its name.
        rows: one for each cell.
        failures: a line for each trial whose last attempt failed.
    """

    study: str
    rows: tuple[RowStatus, ...]
    failures: tuple[str, ...]

    @property
    def total(self) -> int:
        """Trials in all."""
        return sum(row.finished + row.failed + row.running + row.left for row in self.rows)

    @property
    def finished(self) -> int:
        """Trials that have a result."""
        return sum(row.finished for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the status for programs."""
        return {**asdict(self), "total": self.total, "finished": self.finished}


def study_status(
    design: Design,
    places: Places,
    asked: Callable[[Record, Cell], Sequence[int]] | None = None,
    choices: Sequence[RowStatus] = (),
) -> StudyStatus:
    """Read how far a study is.

    Args:
        design: the study, unfolded.
        places: its folders.
        choices: how far its choices are, where it makes some.
        asked: gives the seeds that a row is to be trained with; all of the design's if not given.

    Raises:
        UserError: the record cannot be read or is corrupt.
    """
    record = places.load_record()
    finished, failed = record.finished, record.failed
    running = {path.stem for path in places.running.glob("*.jsonl")} - finished.keys()
    known = finished.keys() | failed.keys() | running
    rows, failures = list(choices), []
    fixed = dict.fromkeys(
        cell.label for cell, trial in design.besides if trial.data.validation_images is None
    )
    for label in fixed:
        keys = [trial.key for cell, trial in design.besides if cell.label == label]
        done, lost = (sum(key in among for key in keys) for among in (finished, failed))
        rows.append(RowStatus(label, done, lost, 0, len(keys) - done - lost))
    for cell in design.cells:
        if cell.label in design.undecided:
            rows.append(RowStatus(cell.label, 0, 0, 0, len(design.seeds)))
            continue
        fresh = [seed for seed in design.confirm_seeds if cell.trial(seed).key in known]
        counts = dict.fromkeys(("finished", "failed", "running", "left"), 0)
        for seed in (*(design.seeds if asked is None else asked(record, cell)), *fresh):
            key = cell.trial(seed).key
            states = (("finished", finished), ("running", running), ("failed", failed))
            counts[next((state for state, keys in states if key in keys), "left")] += 1
            if key in failed and failed[key].failure is not None:
                failure = failed[key].failure
                failures.append(f"{cell.label}, seed {seed}: {failure.kind}: {failure.message}")  # type: ignore[union-attr]
        rows.append(RowStatus(cell.label, **counts))
    return StudyStatus(design.study.name, tuple(rows), tuple(failures))
