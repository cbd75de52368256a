"""The values of a sweep: its settings, its trials, its display, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.last_plan import LastPlan
from ablations.running.record.leases import Leases
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from ablations.running.trials.inputs import NO_INPUTS, Inputs
from ablations.running.trials.progress import Progress

if TYPE_CHECKING:
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.search.proposer import Proposer  # Optuna takes a second to import


@dataclass(frozen=True)
class Running:
    """A running trial, its row and its progress."""

    trial: Trial
    row: Row
    progress: Progress


class Display(Protocol):
    """The display of a sweep."""

    def begin(self, total: int, done: int, shared: int) -> None:
        """Show how many trials the study has, how many are done, and how many of these another study trained."""

    def extend(self, total: int, more: int) -> None:
        """Show that another round begins: how many trials there are now in all, and how many it adds."""

    def update(self, running: Sequence[Running]) -> None:
        """Show the trials that are running."""

    def finished(self, row: Row, record: TrialRecord) -> None:
        """Show a trial that ended."""

    def say(self, message: str) -> None:
        """Show a line."""


class TrialSource(Protocol):
    """The source of a sweep's trials: those that the study has come to, and which of them are next."""

    @property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial that the study has come to so far, by key, with its row."""

    def next_trials(self, ended: Collection[str]) -> Sequence[Trial]:
        """Return the trials of the next round, seed by seed; none where the study is done.

        Args:
            ended: keys of trials that failed in this sweep, and are not waited for.
        """


@dataclass(frozen=True)
class PlannedTrials:
    """The trials of a design as they are planned, in one round."""

    design: Design

    @property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial of the design."""
        return self.design.by_key

    def next_trials(self, ended: Collection[str]) -> Sequence[Trial]:
        """Return all of them; the sweep leaves out what is finished."""
        return self.design.trials


class _Silent:
    """A display that shows nothing."""

    def begin(self, total: int, done: int, shared: int) -> None: ...

    def extend(self, total: int, more: int) -> None: ...

    def update(self, running: Sequence[Running]) -> None: ...

    def finished(self, row: Row, record: TrialRecord) -> None: ...

    def say(self, message: str) -> None: ...


SILENT: Display = _Silent()
"""Shows nothing."""


@dataclass(frozen=True)
class SweepOutcome:
    """The outcome of a sweep.

    Attributes:
        record: the study's record.
        trained: trials finished by this sweep.
        failed: trials that failed in this sweep.
        left: trials without a result that this sweep did not end: stopped, or set aside.
        stopped_by: the signal that stopped it; None where it ran to its end.
    """

    record: StudyRecord
    trained: int
    failed: int
    left: int
    stopped_by: int | None


@dataclass(frozen=True)
class Settings:
    """The settings of a sweep.

    Attributes:
        data_dir: where the prepared data sets are.
        inputs: what its trials read.
        workers: trials at a time.
        fresh: set the old record aside and share nothing with other studies.
        only: train only these trials, by key; None for all that are missing.
        timeout_seconds: how long an attempt at a trial may take; None for as long as it likes.
        kernels: which to train with where they can be had.
        processes: that train each trial together.
        command: what a person types to train a row again.
        storage: address of Optuna's storage, for studies that choose; None for a file beside the record.
        plan: what is noted as run last; None for nothing.
    """

    data_dir: Path
    inputs: Inputs = NO_INPUTS
    workers: int = 1
    fresh: bool = False
    only: frozenset[str] | None = None
    timeout_seconds: float | None = None
    kernels: Kernels = ALL_KERNELS
    processes: int = 1
    command: Callable[[Row], str] = lambda row: ""
    storage: str | None = None
    plan: LastPlan | None = None


@dataclass(frozen=True)
class SweepContext:
    """The parts that one sweep works with.

    Attributes:
        design: the study, unfolded.
        paths: its folders.
        settings: how it is swept.
        record: its record.
        leases: the sweep's.
        display: who shows it.
        tracker: its MLflow experiment; None for none.
        others: the other studies of the results folder; None where nothing is shared with them.
        proposer: makes the study's choices, where it makes any.
    """

    design: Design
    paths: StudyPaths
    settings: Settings
    record: StudyRecord
    leases: Leases
    display: Display
    tracker: Tracker | None = None
    others: OtherStudies | None = None
    proposer: Proposer | None = None
