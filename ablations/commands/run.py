"""`ablate run`: train what is missing of a study, then report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands import options

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.console import Console

    from ablations.plan.design import Design
    from ablations.run.places import Places
    from ablations.run.sweep import SweepOutcome
    from ablations.run.tracking import Tracker


@click.command("run")
@options.study_options
@options.data_dir
@options.tracking_uri
@click.option("--no-tracking", is_flag=True, help="Do not log to MLflow.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Trials at a time; as many as cores or GPUs if not given."
)
@click.option(
    "--only", multiple=True, metavar="ROW", help='Train only this row, such as "SE r=8"; may be repeated.'
)
@click.option("--fresh", is_flag=True, help="Set the old record aside and start anew.")
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    data_dir: Path,
    tracking_uri: str | None,
    no_tracking: bool,
    workers: int | None,
    only: tuple[str, ...],
    fresh: bool,
) -> int:
    """Train every trial of STUDY that is not yet recorded, log it to MLflow, and write the report.

    STUDY is a shipped study (see `ablate studies`) or a YAML file. Ctrl-C stops; the same command continues.
    """
    from ablations.commands.console import make_console
    from ablations.commands.opening import open_study

    console = make_console()
    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    rows = design.only(only) if only else design
    for file in design.study.plugins:
        console.print(f"plug-in loaded: {file}")
    outcome = _sweep(rows, places, data_dir, console, tracking_uri, no_tracking, workers, fresh)
    if outcome.stopped_by is not None:
        console.print(f"stopped: {outcome.left} trials left; the same command continues")
        return 128 + outcome.stopped_by
    _conclude(design, places, console, tracking_uri, no_tracking)
    if outcome.failed:
        console.print(
            f"{outcome.failed} trials failed; the report lists them, and the same command tries them again",
            style="red",
        )
    return 1 if outcome.failed else 0


def _sweep(
    design: Design,
    places: Places,
    data_dir: Path,
    console: Console,
    tracking_uri: str | None,
    no_tracking: bool,
    workers: int | None,
    fresh: bool,
) -> SweepOutcome:
    from ablations.plan.commands import row_command
    from ablations.run.datasets import ensure_prepared
    from ablations.run.display import SweepDisplay
    from ablations.run.sweep import sweep

    places.make_writable()
    places.load_record()  # a corrupt record is said before any data is fetched
    prepared = ensure_prepared(design.study.baseline.data, data_dir)
    with SweepDisplay(design.study.name, console) as display:
        return sweep(
            design,
            places,
            data_dir=data_dir,
            digest=prepared.digest,
            make_executor=lambda: _pool(workers, len(design.trials)),
            display=display,
            open_tracker=lambda: None if no_tracking else _tracker(places, tracking_uri),
            fresh=fresh,
            command=lambda cell: row_command(design, cell),
        )


def _pool(workers: int | None, trials: int) -> Executor:
    from ablations.run.devices import count_gpus
    from ablations.run.environment import available_cores
    from ablations.run.executors import WorkerPool

    gpus = count_gpus()
    cores = available_cores()
    chosen = min(workers or gpus or cores, trials)
    return WorkerPool(chosen, threads=max(1, cores // chosen), gpus=gpus)


def _tracker(places: Places, tracking_uri: str | None) -> Tracker:
    from ablations.run.tracking import Tracker

    return Tracker(places.study, tracking_uri, places.results_dir)


def _conclude(
    design: Design, places: Places, console: Console, tracking_uri: str | None, no_tracking: bool
) -> None:
    """Write the report, put summaries and report into MLflow, and show the table."""
    from ablations.analyse.report import write_report
    from ablations.analyse.summary import render_terminal, summarise

    record = places.load_record()
    written = write_report(design, record, places.reports_dir, formats=("md", "html"))
    if not no_tracking:
        tracker = _tracker(places, tracking_uri)
        tracker.write_summaries(summarise(design, record))
        tracker.attach_report(places.report)
    console.print(render_terminal(design, record))
    console.print(f"report      {written.markdown}", soft_wrap=True)
    console.print(f"as a page   {written.html}", soft_wrap=True)
    if not no_tracking:
        console.print(f"MLflow      make ui, then http://127.0.0.1:5000{tracker.page}", soft_wrap=True)
