"""`ablate studies`: the studies that come with the package."""

from __future__ import annotations

import click


@click.command("studies")
@click.option("--show", metavar="NAME", help="Print the file of one of them, to begin a study of yours with.")
def command(show: str | None) -> None:
    """List the shipped studies, or print one of them."""
    if show is not None:
        from ablations.planning.study_file import shipped_text

        click.echo(shipped_text(show), nl=False)
        return
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table
    from ablations.commands.shared.console import make_console
    from ablations.planning.design import design
    from ablations.planning.study_file import load_study, shipped_studies

    columns = (
        Column("study", "study", "left"),
        Column("rows", "rows"),
        Column("seeds", "seeds"),
        Column("question", "question", "left"),
    )
    unfolded = [design(load_study(name)) for name in shipped_studies()]
    rows = [
        (found.study.name, str(len(found.rows)), str(len(found.seeds)), found.study.question)
        for found in unfolded
    ]
    make_console().print(text_table(columns, rows))
