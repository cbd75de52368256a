"""What a plan says of a study's rows: of any experiment, and of networks, which can be computed before they train."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from ablations.api.planned_runs import PlannedRow, PlannedRun, planned_runs
from ablations.planning.design import Design
from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.row import network_rows
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study import Study
from ablations.running.cost.times import RowTimes, TimingOptions, Wait
from ablations.running.executors import local_factory
from ablations.running.machine.cores import available_cores
from ablations.running.record.study_record import StudyRecord
from ablations.running.trials.inputs import NO_INPUTS

PATIENCE_SECONDS = 5.0
"""Of computing for one network, beyond which a plan computes no other one of its backbone."""


class Planner:
    """What a plan says of the rows of any experiment.

    Args:
        design: the study.

    Attributes:
        problems: row's label to why it cannot be computed.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self.problems: Mapping[str, str] = {}

    def check(self) -> None:
        """Refuse what cannot be run; see `Experiment.check`."""
        self.design.study.experiment.check(self.design)

    def rows(self, finished: frozenset[str]) -> tuple[PlannedRow, ...] | tuple[PlannedRun, ...]:
        """Return what is known of each row; `finished` has the keys of finished trials."""
        return planned_runs(self.design, finished)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the rows should know."""
        return ()

    def digests(self) -> Collection[str]:
        """Return those of the data that are here; of experiments that read data of their own, the empty one."""
        return NO_INPUTS.digests

    def times(self, record: StudyRecord, options: TimingOptions, workers: int, wait: Wait) -> RowTimes:
        """Return how long a trial of each row takes here."""
        from ablations.running.cost.recorded_times import recorded_times

        return recorded_times(self.design, record, max(1, available_cores() // workers))


class NetworkPlanner(Planner):
    """What a plan says of networks.

    Args:
        design: the study.
        data_dir: where the prepared data sets are.
    """

    def __init__(self, design: Design, data_dir: Path) -> None:
        super().__init__(design)
        from ablations.api.planned_rows import planned_shape
        from ablations.running.training.networks import Networks

        shape_of = cache(partial(planned_shape, data_dir=data_dir))
        self._data_dir = data_dir
        self._networks = Networks(shape_of, limit_seconds=PATIENCE_SECONDS)
        self.problems = self._networks.problems

    def check(self) -> None:
        """Refuse what cannot be trained here, and rows that are one network."""
        from ablations.running.training.refusals.identical import refuse_identical
        from ablations.running.training.refusals.untrainable import refuse_untrainable

        refuse_untrainable(self.design)
        refuse_identical(self.design, self._networks)

    def rows(self, finished: frozenset[str]) -> tuple[PlannedRow, ...]:
        """Return the network behind each row."""
        from ablations.api.planned_rows import planned_rows

        return planned_rows(self.design, self._networks, finished)

    def notes(self) -> tuple[str, ...]:
        """Return equal networks, floors of widths, rows left out."""
        from ablations.api.planned_rows import network_notes

        return network_notes(self.design, self._networks)

    def digests(self) -> Collection[str]:
        """Return those of the data sets that are prepared."""
        from ablations.running.data import prepared_digests

        wanted = {row.data for row in network_rows(self.design.rows)}
        return prepared_digests(wanted, self._data_dir).values()

    def times(self, record: StudyRecord, options: TimingOptions, workers: int, wait: Wait) -> RowTimes:
        """Return times of earlier trials, and of a calibration where these do not tell them."""
        from ablations.running.cost.row_times import time_rows

        return time_rows(
            self.design,
            self._networks,
            record.folder.parent,
            options,
            workers,
            make_executor=local_factory.make_pool,
            wait=wait,
        )


def planner_of(design: Design, data_dir: Path) -> Planner:
    """Return what a plan says of a study's rows."""
    if isinstance(design.study, NetworkStudy):
        return NetworkPlanner(design, data_dir)
    return Planner(design)


def common_fields(study: Study) -> dict[str, Any]:
    """Return what all rows of a study have in common, ready for `json.dumps`."""
    if isinstance(study, NetworkStudy):
        return {
            "recipe": study.trained_recipe.to_json(),
            "data": [data.model_dump(mode="json") for data in study.data_sets.values()],
        }
    return {"experiment": dict(study.identity)} if isinstance(study, FactorStudy) else {}
