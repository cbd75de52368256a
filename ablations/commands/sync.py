"""`ablate sync`: write what MLflow lacks of a study, from its record."""

from __future__ import annotations

from pathlib import Path

import click

from ablations.commands import options


@click.command("sync")
@options.study_options
@options.tracking_uri
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    tracking_uri: str | None,
) -> int:
    """Write the runs of STUDY that MLflow lacks, from the record alone; nothing is trained.

    An empty MLflow gets the whole experiment: trials, summaries, and the report if there is one.
    """
    from ablations.analyse.summary import summarise
    from ablations.commands.opening import open_study
    from ablations.plan.commands import row_command
    from ablations.run.notebook import fill_in
    from ablations.run.tracking import Tracker
    from senet_core.errors import UserError

    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    record = places.load_record()
    if not record.finished:
        raise UserError(
            f"study {places.study!r} has no finished trial in {places.results}; first: ablate run {study}"
        )
    tracker = Tracker(places.study, tracking_uri, places.results_dir)
    written = fill_in(tracker, design, places, lambda cell: row_command(design, cell))
    tracker.write_summaries(summarise(design, record))
    if places.report.is_dir():
        tracker.attach_report(places.report)
    click.echo(f"{written} runs written to {tracker.uri}")
    if tracker.first_failure is not None:
        click.echo(f"MLflow lacks a part: {tracker.first_failure}; the same command tries again", err=True)
    return 0 if tracker.first_failure is None else 1
