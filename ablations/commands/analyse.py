"""`ablate analyse`: verdicts for results that someone else measured."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import click

_MARGIN = 0.2


@click.command("analyse")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--baseline", required=True, metavar="NAME", help="The variant that the others are compared with."
)
@click.option(
    "--margin",
    type=float,
    help=f"Smallest effect of interest, in the units of the values.  [default: {_MARGIN}]",
)
@click.option("--variant-column", default="variant", show_default=True, metavar="NAME")
@click.option("--seed-column", default="seed", show_default=True, metavar="NAME")
@click.option("--value-column", default="value", show_default=True, metavar="NAME")
@click.option(
    "--task-column",
    metavar="NAME",
    help="Several data sets or backbones; 'task' if there is one, and '' for none.",
)
@click.option(
    "--higher-is-better", is_flag=True, help="For accuracies; errors and losses are better when lower."
)
@click.option("--pairs", is_flag=True, help="Compare all pairs too.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write report, tables and plots here."
)
def command(
    file: Path,
    baseline: str,
    margin: float | None,
    variant_column: str,
    seed_column: str,
    value_column: str,
    task_column: str | None,
    higher_is_better: bool,
    pairs: bool,
    out: Path | None,
) -> None:
    """Compare the variants in FILE, a CSV with one row for each run: variant, seed, value."""
    from ablations.analysis.external.csv_file import Columns, read_table
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.results import Results
    from ablations.analysis.tables.frame import family_table, further_tables
    from ablations.analysis.tables.screen import ScreenTable
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.flags import with_flags

    read = read_table(file, Columns(variant_column, seed_column, value_column, task_column))
    found = Results.from_frame(
        read.frame,
        baseline=unicodedata.normalize("NFC", baseline),
        margin=_MARGIN if margin is None else margin,
        lower_is_better=not higher_is_better,
        value=value_column,
        pairs=pairs,
    )
    default = f"The smallest effect of interest is the default, {_MARGIN:g}; --margin sets it."
    notes = (*map(with_flags, read.notes), *found.notes, *((default,) if margin is None else ()))
    found = replace(found, title=f"{file.name}: {value_column} by {variant_column}", notes=notes)
    console = make_console()
    said: set[str] = set()  # what holds for every task is said once
    for table in map(family_table, found.families):
        console.print(table.title)
        console.print(ScreenTable(table))
        for note in table.notes:
            if note not in said:
                console.print(note)
        console.print()
        said.update(table.notes)
    for table in further_tables(found):
        console.print(table.title)
        console.print(ScreenTable(table))
    for note in notes:
        console.print(note)
    if out is not None:
        written = write_report(found, out, formats=("md", "html"))
        for path in (written.markdown, written.html, *written.figures, *written.tables):
            click.echo(path)
