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
@options.asked_study
@click.option(
    "--format", "formats", default="md", show_default=True, callback=_formats, help="md, html, latex."
)
@click.option(
    "--pairs", multiple=True, metavar="AXIS", help="Compare all pairs of an axis too; may be repeated."
)
def command(asked: AskedStudy, formats: tuple[str, ...], pairs: tuple[str, ...]) -> None:
    """Write the report of STUDY from its record alone: no server, no data, no training."""
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.growing import CurrentResults
    from ablations.analysis.results.interims import note_analysis
    from ablations.running.machine.durable import DiskError
    from senet_core.errors import UserError

    design, paths = asked.open()
    record = paths.open_record()
    if not record.trials.lines:
        raise UserError(
            f"study {design.study.name!r} has no record in {paths.results}; first: ablate run {asked.study}"
        )
    results = CurrentResults(design, record)
    with suppress(DiskError):  # results that may only be read have a report, too
        note_analysis(results.now)
    written = write_report(results.now, paths.reports_dir, formats=formats, pairs=pairs)
    for path in (written.markdown, written.html, written.latex):
        if path is not None:
            click.echo(path)
