"""`ablate analyse`: verdicts for results that someone else measured."""

from __future__ import annotations

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
@click.option("--task-column", metavar="NAME", help="Several data sets or backbones; 'task' if there is one.")
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
    from ablations.analysis.external.comparison import Question, analyse, write_analysis
    from ablations.analysis.external.csv_file import Columns, read_table
    from ablations.analysis.tables.render import to_terminal
    from ablations.commands.shared.console import make_console

    read = read_table(file, Columns(variant_column, seed_column, value_column, task_column))
    chosen = _MARGIN if margin is None else margin
    question = Question(baseline, chosen, not higher_is_better, pairs, value_column)
    found = analyse(read.frame, question, has_tasks=read.has_tasks)
    notes = [*read.notes]
    if margin is None:
        notes.append(f"The smallest effect of interest is the default, {chosen:g}; --margin sets it.")
    console = make_console()
    said: set[str] = set()  # what holds for every task is said once
    for part in found.parts:
        shown = [table for table in part.tables if not table.key.endswith("-comparisons")]
        for table in shown:
            console.print(f"{part.title}" if table is shown[0] else table.title)
            console.print(to_terminal(table))
        new = [note for note in shown[0].notes if note not in said]
        for note in new:
            console.print(note)
        said.update(new)
        console.print()
    if found.together is not None:
        console.print(found.together.title)
        console.print(to_terminal(found.together))
    for note in notes:
        console.print(note)
    if out is not None:
        for path in write_analysis(found, out, f"{file.name}: {value_column} by {variant_column}", notes):
            click.echo(path)
