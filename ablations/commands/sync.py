"""`ablate sync`: write what MLflow lacks of a study, from its record."""

from __future__ import annotations

from functools import partial

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy
from senet_core.words import counted


@click.command("sync")
@options.recorded_study
@options.tracking_uri
def command(asked: AskedStudy, tracking_uri: str | None) -> int:
    """Write the runs of STUDY that MLflow lacks.

    They are written from the record alone; nothing is trained. An empty MLflow gets the whole experiment: trials,
    summaries, and the report if there is one.
    """
    from ablations.analysis.results.results import Results
    from ablations.api.sweeping import write_into_mlflow
    from ablations.planning.commands import StudyCommands
    from ablations.planning.typed_study import plan_text
    from ablations.running.mlflow.background_writer import fill_in
    from ablations.running.mlflow.tracker import Tracker
    from senet_core.errors import UserError

    design, paths = asked.open()
    record = paths.open_record()
    if not record.finished:
        first = StudyCommands(design.study, paths.places())("run")
        raise UserError(f"study {paths.study!r} has no finished trial in {paths.results}; first: {first}")
    results = Results(design, record, places=paths.places())
    plan = plan_text(design.study)
    tracker = Tracker(paths.study, tracking_uri, paths.results_dir, must_answer=True, plan=plan)
    command = partial(results.commands.row, design)
    written = fill_in(tracker, results.by_key, paths, record.trials, command, compare=True)
    write_into_mlflow(tracker, paths, results)
    click.echo(f"{counted(written, 'run')} written to {tracker.uri}")
    if tracker.missed:
        click.echo(f"MLflow lacks a part: {tracker.first_failure}; the same command tries again", err=True)
    return 1 if tracker.missed else 0
