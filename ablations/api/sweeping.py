"""Training what a study lacks, and what follows: its report and its MLflow experiment. Prints nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.analysis.results.growing import CurrentResults, NextTrials
from ablations.api.trials_per_gpu import choose_trials_per_gpu
from ablations.planning.commands import StudyCommands
from ablations.planning.typed_study import plan_text
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.last_plan import plan_of
from ablations.running.sweep.values import SILENT
from senet_core.errors import UserError
from senet_core.given import check_whole_number

if TYPE_CHECKING:
    from ablations.analysis.report.write import ReportPaths
    from ablations.analysis.results.results import Results
    from ablations.planning.design import Design
    from ablations.running.executors.factories import ExecutorFactory
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.record.study_paths import StudyPaths
    from ablations.running.sweep.values import Display, SweepOutcome


@dataclass(frozen=True)
class RunOptions:
    """Where and how trials run.

    Attributes:
        data_dir: where the prepared data sets are; made ready there if need be.
        tracking: whether MLflow is told; `ablate run` does, Python where it is asked for.
        tracking_uri: an MLflow server or store; a database in the results folder if None.
        trial_timeout: seconds that an attempt at a trial may take; None for as long as it likes.
        storage: address of Optuna's storage, for studies that choose; None for a file beside the record.
        kernels: which to train with where they can be had.
        fresh: set the old record aside and start anew.
        processes_per_trial: that train each network together, each on a GPU of its own, or on its share of the cores.
    """

    data_dir: str | Path = "data"
    tracking: bool = False
    tracking_uri: str | None = None
    trial_timeout: float | None = None
    storage: str | None = None
    kernels: Kernels = ALL_KERNELS
    fresh: bool = False
    processes_per_trial: int = 1

    def __post_init__(self) -> None:
        """Refuse what is out of range before anything is begun.

        Raises:
            UserError: a time limit is not above 0, or a number of processes is below 1.
        """
        limit, processes = self.trial_timeout, self.processes_per_trial
        if limit is not None and (
            not isinstance(limit, int | float) or isinstance(limit, bool) or not limit > 0
        ):
            raise UserError(f"`trial_timeout` must be a number of seconds above 0, got {limit!r}")
        check_whole_number("`processes_per_trial`", processes)


@dataclass
class StudyRun:
    """One study on its way from record to report.

    Args:
        design: the study, unfolded.
        paths: its folders.
        options: where and how its trials run.

    Attributes:
        results: the study's, as its record grows.
        places: where its files are.
        commands: for this study, with its places.
        outcome: how the sweep ended; None before it has.

    Raises:
        UserError: the address of the MLflow store is none.
    """

    design: Design
    paths: StudyPaths
    options: RunOptions
    outcome: SweepOutcome | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        from ablations.running.mlflow.store import locate

        shown = None
        if self.options.tracking:  # a wrong address is said before anything is done
            store = locate(self.options.tracking_uri, self.paths.results_dir)
            shown = store.shown if self.options.tracking_uri else None
        self.places = self.paths.places(Path(self.options.data_dir), shown)
        self.results = CurrentResults(self.design, self.paths.open_record(), self.places)
        self.commands = StudyCommands(self.design.study, self.places)
        self.tracker: Callable[[], Tracker | None] = cache(self._open_tracker)

    def train(
        self, executors: ExecutorFactory, display: Display = SILENT, *, only: Collection[str] | None = None
    ) -> SweepOutcome:
        """Train what is missing; whatever can be refused is refused before any folder is made or any data fetched.

        Args:
            executors: where the trials run; closed in the end.
            display: who shows the sweep.
            only: keys of the trials that may be trained; None for all of them.

        Raises:
            StudyError: a batch is too large, or too small for the processes of a trial.
            RecordError: the record is corrupt or of other data.
            DataError: the data set is not there.
            UserError: the folders cannot be written.
            DiskError: the record cannot be written.
        """
        from ablations.running.sweep.sweep import sweep
        from ablations.running.sweep.values import Settings
        from ablations.running.trials.runner import runner_of

        self.paths.check_writable()
        _ = self.results.record.trials
        study, data_dir = self.design.study, Path(self.options.data_dir)
        runner = runner_of(study)
        processes = self.options.processes_per_trial
        runner.check_processes(self.design, processes)
        inputs = runner.prepare(self.design, data_dir, display.say)
        most = _most_trials(self.design)
        choose = partial(
            choose_trials_per_gpu, self.design, min(most, self._missing(only)), self.options, display.say
        )
        gpus = runner.gpus(study)
        size = executors.trials_at_a_time(most, gpus, choose, display.say, processes=processes)
        settings = Settings(
            data_dir=data_dir,
            inputs=inputs,
            workers=size,
            fresh=self.options.fresh,
            only=None if only is None else frozenset(only),
            timeout_seconds=self.options.trial_timeout,
            kernels=self.options.kernels,
            processes=processes,
            storage=self.options.storage,
            command=lambda row: self.commands.row(self.design, row),
            plan=plan_of(study, data_dir),
        )
        with closing(executors):  # what was started for the sweep ends before the report is written
            self.outcome = sweep(
                self.design,
                self.paths,
                settings,
                make_executor=lambda: executors.open(size, inputs, runner.warm_up, display.say),
                display=display,
                open_tracker=self.tracker,
                record=self.results.record,
                source=NextTrials(self.results, only=only),
            )
        if self.outcome.stopped_by is None and self.outcome.left == 0:
            self._retest(display.say)
        return self.outcome

    def conclude(self) -> ReportPaths:
        """Note the analysis, write the report, and put it with the rows' summaries into MLflow; returns the report.

        Raises:
            UserError: the report's folder cannot be written.
            DiskError: the disk is full.
        """
        from ablations.analysis.report.write import write_report
        from ablations.analysis.results.interims import note_analysis

        note_analysis(self.results.now)
        written = write_report(self.results.now, self.paths.reports_dir, formats=("md", "html"), replace=True)
        tracker = self.tracker()
        if tracker is not None:
            write_into_mlflow(tracker, self.paths, self.results.now)
        return written

    def _retest(self, say: Callable[[str], object]) -> None:
        """Test the trained networks as the study asks; what is recorded is not tested again."""
        if not self.design.study.retests:
            return
        from ablations.analysis.tested.of_study import AskedTests, run_tests

        for test in self.design.study.retests:
            say(f"testing the trained networks on {test.views}")
            asked = AskedTests(test.views, test.ensembles)
            try:
                run_tests(self.results.now, asked, data_dir=Path(self.options.data_dir))
            except UserError as error:  # the training is done, and its report is to be written
                say(f"not tested: {error}")

    def _missing(self, only: Collection[str] | None) -> float:
        """Return how many trials may be trained that are not finished; without a limit where the study chooses them."""
        if self.design.kind.chooses:
            return math.inf
        finished = self.results.record.trials.finished
        keys = self.design.by_key.keys() - finished.keys()
        return len(keys if only is None else keys & set(only))

    def _open_tracker(self) -> Tracker | None:
        if not self.options.tracking:
            return None
        from ablations.running.mlflow.tracker import Tracker

        return Tracker(
            self.paths.study,
            self.options.tracking_uri,
            self.paths.results_dir,
            plan=plan_text(self.design.study),
        )


def write_into_mlflow(tracker: Tracker, paths: StudyPaths, results: Results) -> None:
    """Write what a study shows as a whole into its MLflow experiment: summaries, report, and Optuna's plots."""
    from ablations.analysis.tables.glance.glance import glance_of
    from ablations.analysis.tables.glance.note import glance_note
    from ablations.analysis.tables.summary import summarise
    from ablations.running.mlflow.background_writer import write_conclusion

    def draw(folder: Path) -> None:
        if results.choices:
            from ablations.analysis.plots.optuna import write_optuna_plots  # Optuna takes a second to import

            write_optuna_plots(results.choices, folder)

    write_conclusion(tracker, paths, summarise(results), draw, note=glance_note(glance_of(results)))


def _most_trials(design: Design) -> int:
    """Return how many trials may run at a time: all that are planned, or those of the choices."""
    from ablations.planning.choices.arms import arms_of

    budgets = [arm.trials or 1_000_000 for arm in arms_of(design)]
    return max(1, len(design.trials), sum(budgets))
