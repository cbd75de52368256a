"""`ablate status`: what of a study is done, failed, running and left."""

from __future__ import annotations

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

_COUNTS = ("finished", "failed", "running", "left")


@click.command("status")
@options.recorded_study
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(asked: AskedStudy, as_json: bool) -> None:
    """Show what of STUDY is finished, failed, running and left."""
    import json

    from ablations.analysis.results.results import Results
    from ablations.analysis.results.status import study_status
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table
    from ablations.commands.shared.console import make_console
    from senet_core.words import counted

    design, paths = asked.open()
    status = study_status(Results(design, paths.open_record()), paths.running_keys)
    if as_json:
        click.echo(json.dumps(status.to_json(), indent=1))
        return
    console = make_console()
    console.print(f"{asked.study}: {status.finished} of {counted(status.total, 'trial')} finished")
    columns = (Column("row", "row", "left"), *(Column(name, name) for name in _COUNTS))
    rows = [(row.label, *(str(getattr(row, name)) for name in _COUNTS)) for row in status.rows]
    console.print(text_table(columns, rows))
    for line in status.failures:
        console.print(line, style="red")
