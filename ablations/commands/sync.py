"""`ablate sync`: write what MLflow lacks of a study, from its record."""

from __future__ import annotations

import click

from ablations.commands import options
from ablations.commands.options import AskedStudy


@click.command("sync")
@options.asked_study
@options.tracking_uri
def command(
    asked: AskedStudy,
    tracking_uri: str | None,
) -> int:
    """Write the runs of STUDY that MLflow lacks, from the record alone; nothing is trained.

    An empty MLflow gets the whole experiment: trials, summaries, and the report if there is one.
    """
    from ablations.analysis.plots.conclusion import optuna_plots
    from ablations.analysis.results.selection import settled
    from ablations.analysis.tables.summary import summarise
    from ablations.planning.commands import row_command
    from ablations.running.mlflow.background_writer import fill_in, write_conclusion
    from ablations.running.mlflow.tracker import Tracker
    from senet_core.errors import UserError

    design, places = asked.open()
    record = places.load_record()
    if not record.finished:
        raise UserError(
            f"study {places.study!r} has no finished trial in {places.results}; first: ablate run {asked.study}"
        )
    design = settled(design, record)
    tracker = Tracker(places.study, tracking_uri, places.results_dir, must_answer=True)
    written = fill_in(tracker, design, places, lambda cell: row_command(design, cell))
    write_conclusion(tracker, places, summarise(design, record), optuna_plots(design, record))
    click.echo(f"{written} runs written to {tracker.uri}")
    if tracker.missed:
        click.echo(f"MLflow lacks a part: {tracker.first_failure}; the same command tries again", err=True)
    return 1 if tracker.missed else 0
