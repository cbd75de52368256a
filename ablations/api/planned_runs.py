"""The rows of a study as a plan shows them: networks, or runs of an experiment that is not ours."""

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


@dataclass(frozen=True)
class PlannedRow:
    """The network behind one row, and how many of its trials are finished.

    Attributes:
        label: the row's.
        backbone: of the network.
        variant: "plain", or the fields that differ from the paper's SE block; it reads back to an equal value.
        blocks: how many blocks weigh what: "9 out"; None without SE.
        units: of the bottlenecks by stage: "4/8/16"; None without SE.
        parameters: of the network.
        multiply_adds: for one image.
        function: hash of the function that it computes with fixed weights.
        finished, planned: trials.

    All but the first three and the last two are None, too, where the network could not be computed.
    """

    label: str
    backbone: str
    variant: str
    blocks: str | None
    units: str | None
    parameters: int | None
    multiply_adds: int | None
    function: str | None
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
        keys = [row.key(seed) for seed in design.seeds]
        facts = design.study.experiment.describe(row)
        found.append(PlannedRun(row.label, row.told, facts, sum(k in finished for k in keys), len(keys)))
    return tuple(found)
