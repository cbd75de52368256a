"""`ablate status`: what of a study is done, failed, running and left."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

if TYPE_CHECKING:
    from ablations.running.record.study_paths import StudyPaths

_COUNTS = ("finished", "failed", "running", "left")


@click.command("status")
@options.recorded_study
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(asked: AskedStudy, as_json: bool) -> None:
    """Show what of STUDY is finished, failed, running and left."""
    import json

    from ablations.analysis.results.imported import confounded_rows
    from ablations.analysis.results.precision import both_precisions
    from ablations.analysis.results.results import Results
    from ablations.analysis.results.status import study_status
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.flags import with_flags
    from ablations.running.record.weights import AGAIN
    from senet_core.words import counted

    design, paths = asked.open(refuse=False)
    record = paths.open_record()
    results = Results(design, record)
    status = study_status(results, paths.running_keys)
    if as_json:
        click.echo(json.dumps(status.to_json(), indent=1))
        return
    console = make_console()
    console.print(f"{asked.study}: {status.finished} of {counted(status.total, 'trial')} finished")
    if status.imported:
        console.print(f"{status.imported}; the code of this study has not made them", soft_wrap=True)
    counts = (*_COUNTS, *(["imported"] if status.imported else []))
    columns = (Column("row", "row", "left"), *(Column(name, name) for name in counts))
    rows = [(row.label, *(str(getattr(row, name)) for name in counts)) for row in status.rows]
    console.print(text_table(columns, rows))
    for confounded in filter(None, (both_precisions(design.study, record), confounded_rows(results))):
        console.print(with_flags(confounded), style="red", soft_wrap=True)
    for line in status.failures:
        console.print(line, style="red")
    if status.without_weights:
        lacking = counted(len(status.without_weights), "finished trial")
        console.print(f"{lacking} without weights (keys: --json); {AGAIN}", soft_wrap=True)
    if not status.finished and record.finished:
        console.print(_other_plans(len(record.finished), paths), soft_wrap=True)  # it has a command


def _other_plans(finished: int, paths: StudyPaths) -> str:
    """Say that a record has trials, but none of this plan; and which plan the report is of."""
    from ablations.analysis.report.request import read_request
    from ablations.errors import RecordError
    from senet_core.words import counted

    said = f"{paths.results} has {counted(finished, 'finished trial')} of other plans"
    with suppress(RecordError):
        said += f"; the report in {paths.report} is of: {read_request(paths.report).asked}"
    return said
