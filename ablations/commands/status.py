"""`ablate status`: what of a study is done, failed, running and left."""

from __future__ import annotations

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy


@click.command("status")
@options.asked_study
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(asked: AskedStudy, as_json: bool) -> None:
    """Show what of STUDY is finished, failed, running and left."""
    import json

    from rich.table import Table

    from ablations.analysis.results.results import Results
    from ablations.analysis.results.status import study_status
    from ablations.commands.shared.console import make_console

    design, paths = asked.open()
    status = study_status(Results(design, paths.open_record()), paths.running_keys)
    if as_json:
        click.echo(json.dumps(status.to_json(), indent=1))
        return
    console = make_console()
    table = Table(
        title=f"{asked.study}: {status.finished} of {status.total} trials finished", title_justify="left"
    )
    for name in ("row", "finished", "failed", "running", "left"):
        table.add_column(name, justify="left" if name == "row" else "right")
    for row in status.rows:
        table.add_row(row.label, str(row.finished), str(row.failed), str(row.running), str(row.left))
    console.print(table)
    for line in status.failures:
        console.print(line, style="red")
