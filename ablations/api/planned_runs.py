"""The rows of an experiment that is not ours, as a plan shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ablations.planning.design import Design
from ablations.planning.experiment import Fact


@dataclass(frozen=True)
class PlannedRun:
    """One row of an experiment that is not ours, and how many of its trials are finished.

    Attributes:
        label: the row's.
        values: of the factors, as text.
        facts: what the experiment knows of it without running it.
        finished, planned: trials.
    """

    label: str
    values: Mapping[str, str]
    facts: Mapping[str, Fact]
    finished: int
    planned: int


def planned_runs(design: Design, finished: frozenset[str]) -> tuple[PlannedRun, ...]:
    """Return the rows of an experiment that is not ours.

    Args:
        design: the study.
        finished: keys of finished trials.
    """
    found = []
    for row in design.rows:
        keys = [row.trial(seed).key for seed in design.seeds]
        facts = design.study.experiment.describe(row)
        found.append(PlannedRun(row.label, row.told, facts, sum(k in finished for k in keys), len(keys)))
    return tuple(found)
