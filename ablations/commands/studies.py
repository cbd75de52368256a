"""`ablate studies`: the studies that come with the package."""

from __future__ import annotations

import click


@click.command("studies")
@click.option("--show", metavar="NAME", help="Print the file of one of them, to begin a study of yours with.")
def command(show: str | None) -> None:
    """List the shipped studies with their questions, or print one of them."""
    if show is not None:
        from ablations.planning.study_file import shipped_text

        click.echo(shipped_text(show), nl=False)
        return
    from rich.table import Table

    from ablations.commands.shared.console import make_console
    from ablations.planning.design import design
    from ablations.planning.study_file import load_study, shipped_studies

    table = Table(box=None, pad_edge=False)
    for column in ("study", "rows", "seeds", "question"):
        table.add_column(column, justify="right" if column in ("rows", "seeds") else "left")
    for name in shipped_studies():
        unfolded = design(load_study(name))
        table.add_row(name, str(len(unfolded.rows)), str(len(unfolded.seeds)), unfolded.study.question)
    make_console().print(table)
