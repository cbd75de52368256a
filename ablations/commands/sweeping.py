"""What the commands that train have in common: sweep, then report."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.commands.console import make_console
from ablations.running.machine.kernels import ALL_KERNELS, Kernels

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.planning.design import Design
    from ablations.planning.trial import Trial
    from ablations.running.executors.factories import ExecutorFactory
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.record.study_paths import Places
    from ablations.running.record.trial_file import Record
    from ablations.running.sweep.values import SweepOutcome


def run_sweep(
    design: Design,
    places: Places,
    *,
    rows: Design,
    data_dir: Path,
    tracking_uri: str | None,
    no_tracking: bool,
    executors: ExecutorFactory,
    trial_timeout: float | None,
    storage: str | None = None,
    kernels: Kernels = ALL_KERNELS,
    fresh: bool = False,
    keys: frozenset[str] | None = None,
) -> int:
    """Train, report, and say what comes next.

    Args:
        design: the whole study, for the report.
        places: its folders.
        rows: the rows to train.
        data_dir: where the prepared data sets are.
        tracking_uri: the MLflow store; None for the default.
        no_tracking: do not log to MLflow.
        executors: opens what runs the trials.
        trial_timeout: seconds that an attempt at a trial may take.
        storage: address of Optuna's storage, for studies that choose; None for a file beside the record.
        kernels: which to train with where they can be had.
        fresh: set the old record aside.
        keys: train only these trials.

    Returns:
        The exit status: 0 done, 1 some trials have no result, 128 + n stopped by signal n.
    """
    from ablations.running.mlflow.store import locate

    console = make_console()
    if not no_tracking:
        locate(tracking_uri, places.results_dir)  # an address that is none is said before anything is done
    open_tracker = cache(lambda: None if no_tracking else _tracker(places, tracking_uri))
    with closing(executors):  # what was started for the sweep ends before the report is written
        outcome = _sweep(
            design,
            rows,
            places,
            console,
            data_dir,
            open_tracker,
            executors,
            trial_timeout,
            storage=storage,
            kernels=kernels,
            fresh=fresh,
            keys=keys,
        )
    if outcome.stopped_by is not None:
        console.print(f"stopped: {outcome.left} trials left; the same command continues where they are")
        return 128 + outcome.stopped_by
    _conclude(design, places, console, open_tracker(), tracking_uri)
    if outcome.failed or outcome.left:
        console.print(
            f"{outcome.failed} trials failed, {outcome.left} were not tried; the report lists them,"
            " and the same command tries them again",
            style="red",
        )
    return 1 if outcome.failed or outcome.left else 0


def _sweep(
    whole: Design,
    design: Design,
    places: Places,
    console: Console,
    data_dir: Path,
    open_tracker: Callable[[], Tracker | None],
    executors: ExecutorFactory,
    trial_timeout: float | None,
    *,
    storage: str | None,
    kernels: Kernels,
    fresh: bool,
    keys: frozenset[str] | None,
) -> SweepOutcome:
    from ablations.analysis.results.next_trials import next_trials
    from ablations.analysis.results.selection import settled
    from ablations.planning.choices.arms import extreme_cells
    from ablations.planning.commands import row_command
    from ablations.planning.limits import check_batches
    from ablations.running.data import ensure_prepared, prepared_path
    from ablations.running.sweep.display import SweepDisplay
    from ablations.running.sweep.sweep import sweep
    from ablations.running.sweep.values import Settings

    # whatever can be said is said before any folder is made and any data is fetched
    places.check_writable()
    places.load_record()
    spec = design.study.baseline.data
    prepared = ensure_prepared(spec, data_dir)
    chooses = design.study.tune or design.study.search
    held_back = 0 if chooses is None or spec.train_images is not None else chooses.validation_images
    left = len(prepared.train_labels) - held_back
    check_batches(design.study, [*design.cells, *extreme_cells(design)], left)
    size = executors.trials_at_a_time(_most_trials(design))
    rows = design.by_key.keys()
    wanted = rows if keys is None else rows & keys
    _say_which_kernels_are_missing(kernels, console)
    settings = Settings(
        data_dir=data_dir,
        digest=prepared.digest,
        workers=size,
        fresh=fresh,
        only=keys,
        timeout_seconds=trial_timeout,
        kernels=kernels,
        storage=storage,
        command=lambda cell: row_command(design, cell),
    )

    def wanted_next(record: Record, ended: Collection[str]) -> list[Trial]:
        if whole.study.design in ("tuned", "search"):  # what it comes to compare is not among the rows yet
            return list(next_trials(whole, record, set(ended)))
        # what failed before and is not to be tried now is not waited for
        others = record.failed.keys() - wanted
        return [t for t in next_trials(whole, record, others | set(ended)) if t.key in rows]

    with SweepDisplay(design.study.name, console) as display:
        return sweep(
            design,
            places,
            settings,
            make_executor=lambda: executors.open(size, prepared_path(spec, data_dir), prepared, display.say),
            display=display,
            open_tracker=open_tracker,
            next_trials=wanted_next,
            settle=lambda record: settled(whole, record),
        )


def _most_trials(design: Design) -> int:
    """Return how many trials may run at a time: all that are planned, or those of the choices."""
    from ablations.planning.choices.arms import arms_of

    budgets = [arm.trials or 1_000_000 for arm in arms_of(design)]
    return max(1, len(design.trials), sum(budgets))


def _say_which_kernels_are_missing(kernels: Kernels, console: Console) -> None:
    """Compile the kernels before the workers ask for them, or say why there are none."""
    from ablations.running.machine.devices import choose_device

    missing: dict[str, list[str]] = {}
    for words, reason in kernels.missing(choose_device()).items():
        missing.setdefault(reason, []).append(words)
    for reason, several in missing.items():
        console.print(f"training without {' and '.join(several)}, more slowly: {reason}", soft_wrap=True)


def _tracker(places: Places, tracking_uri: str | None) -> Tracker:
    from ablations.running.mlflow.tracker import Tracker

    return Tracker(places.study, tracking_uri, places.results_dir)


def _conclude(
    design: Design, places: Places, console: Console, tracker: Tracker | None, tracking_uri: str | None
) -> None:
    """Write the report, put summaries and report into MLflow, and show the table, with or without MLflow."""
    from ablations.analysis.plots.conclusion import optuna_plots
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.interims import note_look
    from ablations.analysis.results.selection import settled
    from ablations.analysis.tables.summary import render_terminal, summarise
    from ablations.running.mlflow.background_writer import write_conclusion

    record = places.load_record()
    design = settled(design, record)
    note_look(design, places, record)
    written = write_report(design, record, places.reports_dir, formats=("md", "html"))
    if tracker is not None:
        write_conclusion(tracker, places, summarise(design, record), optuna_plots(design, record))
    console.print(render_terminal(design, record))
    console.print(f"report      {written.markdown}", soft_wrap=True)
    console.print(f"as a page   {written.html}", soft_wrap=True)
    if tracker is not None:
        console.print(f"MLflow      {_notebook(tracker, design, places, tracking_uri)}", soft_wrap=True)


def _notebook(tracker: Tracker, design: Design, places: Places, tracking_uri: str | None) -> str:
    """Say where the experiment is to be seen, or how it gets what it lacks."""
    if tracker.missed:
        from ablations.planning.commands import sync_command

        command = sync_command(
            design, places.results_dir, places.reports_dir, tracker.uri if tracking_uri else None
        )
        return f"lacks summaries, report or runs ({tracker.first_failure}); when that is mended: {command}"
    if tracker.uri.startswith("http"):
        return f"{tracker.uri.rstrip('/')}{tracker.page}"
    return f"make ui, then http://127.0.0.1:5000{tracker.page}"
