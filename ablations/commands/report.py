"""`ablate report`: write a study's report from its record."""

from __future__ import annotations

from contextlib import suppress

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

FORMATS = ("md", "html", "latex")


def _formats(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    from senet_core.errors import unknown

    formats = tuple(part.strip() for part in value.split(","))
    for name in formats:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS)
    return formats


@click.command("report")
@options.recorded_study
@click.option(
    "--format", "formats", default="md", show_default=True, callback=_formats, help="md, html, latex."
)
@click.option(
    "--pairs", multiple=True, metavar="AXIS", help="Compare all pairs of an axis too; may be repeated."
)
@click.option("--replace", is_flag=True, help="Also replace the report of another plan of the study.")
def command(asked: AskedStudy, formats: tuple[str, ...], pairs: tuple[str, ...], replace: bool) -> None:
    """Write the report of STUDY from its record alone: no server, no data, no training."""
    from ablations.analysis.report.folder import refuse_other_plan
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.growing import CurrentResults
    from ablations.analysis.results.interims import note_analysis
    from ablations.planning.commands import StudyCommands
    from ablations.running.machine.durable import DiskError
    from senet_core.errors import UserError

    design, paths = asked.open()
    record = paths.open_record()
    if not record.trials.lines:
        first = StudyCommands(design.study, paths.places())("run")
        raise UserError(f"study {design.study.name!r} has no record in {paths.results}; first: {first}")
    if not replace:
        refuse_other_plan(design.study, paths.report)
    results = CurrentResults(design, record, paths.places())
    with suppress(DiskError):  # results that may only be read have a report, too
        note_analysis(results.now)
    written = write_report(results.now, paths.reports_dir, formats=formats, pairs=pairs, replace=replace)
    for path in (written.markdown, written.html, written.latex):
        if path is not None:
            click.echo(path)
