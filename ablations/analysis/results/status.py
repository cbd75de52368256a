"""The status of a study, in numbers of trials."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ablations.analysis.results.imported import imported_words
from ablations.analysis.results.results import Results
from ablations.planning.row import Row


@dataclass(frozen=True)
class RowStatus:
    """One row: numbers of trials."""

    label: str
    finished: int
    failed: int
    running: int
    left: int
    imported: int = 0
    """Of those that are finished or failed."""


@dataclass(frozen=True)
class StudyStatus:
    """A whole study.

    Attributes:
        study: its name.
        rows: one for each row.
        failures: a line for each trial whose last attempt failed.
        without_weights: keys of finished trials whose weights are not there, where the study keeps them.
        imported: how many trials were imported and from where, in words; "" where none was.
    """

    study: str
    rows: tuple[RowStatus, ...]
    failures: tuple[str, ...]
    without_weights: tuple[str, ...] = ()
    imported: str = ""

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


def study_status(results: Results, running: Collection[str] = ()) -> StudyStatus:
    """Count how far a study is.

    Args:
        results: the study's design and record.
        running: keys of the trials that are running now.
    """
    design = results.design
    rows = [*_choices(results), *_fixed(results)]
    failures = []
    tried = results.measured.keys() | results.all_failed.keys() | set(running)
    for row in design.rows:
        if row.label in results.undecided:
            rows.append(RowStatus(row.label, 0, 0, 0, len(design.seeds)))
            continue
        fresh = [seed for seed in design.confirm_seeds if row.key(seed) in tried]
        counts = dict.fromkeys(("finished", "failed", "running", "left"), 0)
        for seed in (*results.asked_seeds(row), *fresh):
            key = row.key(seed)
            states = (("finished", results.measured), ("running", running), ("failed", results.all_failed))
            counts[next((state for state, keys in states if key in keys), "left")] += 1
            failure = results.all_failed[key].failure if key in results.all_failed else None
            if failure is not None:
                failures.append(f"{row.label}, seed {seed}: {failure.kind}: {failure.message}")
        rows.append(RowStatus(row.label, **counts, imported=_imported(results, row)))
    asked = results.finished if design.study.keeps_weights else ()
    lacking = tuple(key for key in asked if results.record.weights(key) is None)
    return StudyStatus(
        design.study.name,
        tuple(rows),
        tuple(failures),
        without_weights=lacking,
        imported=imported_words(results),
    )


def _imported(results: Results, row: Row) -> int:
    keys = (row.key(seed) for seed in results.asked_seeds(row))
    lines = (results.measured.get(key) or results.all_failed.get(key) for key in keys)
    return sum(line is not None and line.imported is not None for line in lines)


def _choices(results: Results) -> Iterator[RowStatus]:
    """Return how far the choices are: proposals that count, failed, and are left."""
    is_search = results.asked.study.search is not None
    for choice in results.choices:
        counted = sum(j.counts for j in choice.judged)
        failed = sum(j.state == "failed" for j in choice.judged)
        own, several = results.design.study.chosen
        what = f"a {own}" if own != several else own
        name = choice.arm.label if is_search else f"{choice.arm.label}: choice of {what}"
        yield RowStatus(name, counted, failed, 0, choice.planned - counted)


def _fixed(results: Results) -> Iterator[RowStatus]:
    """Return how far a tuned study's rows with the study's own recipe are."""
    keys: dict[str, list[str]] = {}
    for row, trial in results.selection.beside:
        if not trial.proposed:
            keys.setdefault(row.label, []).append(trial.key)
    for label, own in keys.items():
        done, lost = (sum(key in among for key in own) for among in (results.measured, results.all_failed))
        yield RowStatus(label, done, lost, 0, len(own) - done - lost)
