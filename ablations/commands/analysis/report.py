"""`ablate report`: write a study's report from its record, or print it for programs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options, programs
from ablations.commands.shared.options import AskedStudy

if TYPE_CHECKING:
    from ablations.analysis.programs.expectations import Expectation

FORMATS = ("md", "html", "latex")


def as_formats(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Read names of formats, with commas between them."""
    from senet_core.errors import unknown

    formats = tuple(part.strip() for part in value.split(","))
    for name in formats:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS)
    return formats


def _only_printed(context: click.Context) -> None:
    """Refuse what a report in files needs together with --json, which writes none."""
    from senet_core.errors import UserError

    for name, flag in (("formats", "--format"), ("replace", "--replace")):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UserError(f"--json prints one document and writes no report: leave out {flag}, or --json")


@click.command("report")
@options.recorded_study
@click.option(
    "--format", "formats", default="md", show_default=True, callback=as_formats, help="md, html, latex."
)
@click.option(
    "--pairs", multiple=True, metavar="AXIS", help="Compare all pairs of an axis too; may be repeated."
)
@click.option("--replace", is_flag=True, help="Also replace the report of another plan of the study.")
@programs.as_json("Print one JSON document for programs, and write no report; see docs/for-programs.md.")
@programs.expect
@click.pass_context
def command(
    context: click.Context,
    asked: AskedStudy,
    formats: tuple[str, ...],
    pairs: tuple[str, ...],
    replace: bool,
    as_json: bool,
    expected: tuple[Expectation, ...],
) -> int:
    """Write the report of STUDY from its record alone.

    Needs no server and no data, and trains nothing.
    """
    from ablations.analysis.programs.contents import document_of
    from ablations.analysis.programs.expectations import check_rows
    from ablations.analysis.report.folder import refuse_other_plan
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.growing import CurrentResults
    from ablations.analysis.results.interims import note_analysis
    from ablations.planning.commands import StudyCommands
    from ablations.running.machine.durable import DiskError
    from senet_core.errors import UserError

    if as_json:
        _only_printed(context)
    design, paths = asked.open()
    record = paths.open_record()
    if not record.trials.lines:
        first = StudyCommands(design.study, paths.places())("run")
        raise UserError(f"study {design.study.name!r} has no record in {paths.results}; first: {first}")
    if not replace and not as_json:
        refuse_other_plan(design.study, paths.report)
    results = CurrentResults(design, record, paths.places())
    document = document_of(results.now, pairs=pairs)
    check_rows(expected, document)
    with suppress(DiskError):  # results that may only be read have a report, too
        note_analysis(results.now)
    if as_json:
        programs.print_document(document)
        return programs.judge(expected, document)
    written = write_report(results.now, paths.reports_dir, formats=formats, pairs=pairs, replace=replace)
    for path in (written.markdown, written.html, written.latex):
        if path is not None:
            click.echo(path)
    return programs.judge(expected, document)
