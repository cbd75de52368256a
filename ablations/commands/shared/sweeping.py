"""Sweep, then report: the common part of the commands that train."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablations.commands.shared.console import make_console
from senet_core.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.api.sweeping import RunOptions, StudyRun
    from ablations.planning.design import Design
    from ablations.running.executors.factories import ExecutorFactory
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.record.study_paths import StudyPaths


@dataclass(frozen=True)
class Words:
    """What a command that trains says and writes beside the record.

    Attributes:
        report: whether a report is written, and put into MLflow, when the training has ended.
        quiet: whether it says nothing but what goes wrong.
    """

    report: bool = True
    quiet: bool = False


def run_sweep(
    design: Design,
    paths: StudyPaths,
    options: RunOptions,
    executors: ExecutorFactory,
    *,
    only: Collection[str] | None = None,
    words: Words = Words(),
) -> int:
    """Train, report, and say what comes next.

    Args:
        design: the study.
        paths: its folders.
        options: where and how its trials run.
        executors: where they run.
        only: keys of the trials that may be trained; None for all of them.
        words: what is said and written.

    Returns:
        The exit status: 0 done, 1 some trials have no result, 128 + n stopped by signal n.
    """
    from ablations.api.sweeping import StudyRun
    from ablations.running.sweep.display import SweepDisplay
    from ablations.running.trials.runner import runner_of

    console, faults = make_console(quiet=words.quiet), make_console()
    run = StudyRun(design, paths, options)
    for missing in runner_of(design.study).missing(options.kernels, options.processes_per_trial):
        console.print(missing, soft_wrap=True)
    study = design.study
    with SweepDisplay(study.name, console, faults, metric=study.metric, judged_by=study.judged_by) as display:
        outcome = run.train(executors, display, only=only)
    if outcome.stopped_by is not None:
        faults.print(
            f"stopped: {counted(outcome.left, 'trial')} left; the same command continues where they are"
        )
        return 128 + outcome.stopped_by
    if words.report:
        _conclude(run, console, faults)
    else:
        command = run.commands("report")
        console.print(f"trained; no report was written: {command}", soft_wrap=True)
    if outcome.failed or outcome.left:
        faults.print(
            f"{counted(outcome.failed, 'trial')} failed, {outcome.left} were not tried; the report lists them,"
            " and the same command tries them again",
            style="red",
        )
    return 1 if outcome.failed or outcome.left else 0


def _conclude(run: StudyRun, console: Console, faults: Console) -> None:
    """Write the report, and show its first screen, with or without MLflow."""
    from ablations.analysis.tables.glance.glance import glance_of
    from ablations.analysis.tables.summary import summary_table
    from ablations.commands.shared.glance import print_glance

    written, tracker = run.conclude(), run.tracker()
    print_glance(console, glance_of(run.results.now))
    for note in summary_table(run.results.now).notes:
        console.print(note)
    console.print(f"report      {written.markdown}", soft_wrap=True)
    console.print(f"as a page   {written.html}", soft_wrap=True)
    if tracker is not None:
        said = faults if tracker.missed else console
        said.print(f"MLflow      {_experiment(tracker, run)}", soft_wrap=True)


def _experiment(tracker: Tracker, run: StudyRun) -> str:
    """Return where the experiment is to be seen, or how it gets what it lacks."""
    if tracker.missed:
        sync = run.commands("sync")
        return f"lacks summaries, report or runs ({tracker.first_failure}); when that is mended: {sync}"
    if tracker.uri.startswith("http"):
        return f"{tracker.uri.rstrip('/')}{tracker.page}"
    return f"{run.places.command('ui')}, then http://127.0.0.1:5000{tracker.page}"
