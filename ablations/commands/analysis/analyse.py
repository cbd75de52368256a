"""`ablate analyse`: verdicts for results that someone else measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import programs

if TYPE_CHECKING:
    from ablations.analysis.programs.expectations import Expectation
    from ablations.analysis.results.frame_results import FrameResults
    from ablations.analysis.tables.latex.table import PaperStyle

_MARGIN = 0.2
FORMATS = ("text", "latex")


def _format(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from senet_core.errors import unknown

    if value not in FORMATS:
        raise unknown("format", value, FORMATS)
    return value


def _style(
    form: str, columns: str | None, spread: str | None, caption: str | None, label: str | None
) -> PaperStyle:
    """Return how a paper shows the tables, as far as it was asked for."""
    from ablations.analysis.tables.latex.cells import SPREADS
    from ablations.analysis.tables.latex.table import PaperStyle
    from senet_core.errors import UserError, unknown

    asked = {"--columns": columns, "--spread": spread, "--caption": caption, "--label": label}
    given = [flag for flag, value in asked.items() if value is not None]
    if given and form != "latex":
        raise UserError(f"{given[0]} is of tables for papers: it needs --format latex")
    names = None if columns is None else tuple(name.strip() for name in columns.split(","))
    named = next((known for known in SPREADS if known == (spread or "interval")), None)
    if named is None:
        raise unknown("spread", spread, SPREADS)
    return PaperStyle(names, named, caption, label)


@click.command("analyse")
@click.argument("source")
@click.option("--baseline", metavar="NAME", help="The variant that the others are compared with; needed.")
@click.option(
    "--margin",
    type=float,
    help=f"Smallest effect of interest, in the units of the values.  [default: {_MARGIN}]",
)
@click.option(
    "--variant-column",
    "--variant",
    "variant",
    multiple=True,
    metavar="NAMES",
    help="What makes a variant; several are separated by commas.  [default: variant]",
)
@click.option(
    "--seed-column", "--seed", "seed", metavar="NAME", help="What tells its runs apart.  [default: seed]"
)
@click.option(
    "--metric",
    "--value-column",
    "metric",
    metavar="NAME",
    help="What is compared.  [default: the only metric; in a CSV, the column value]",
)
@click.option(
    "--task-column",
    "task",
    metavar="NAME",
    help="Several data sets or backbones; 'task' if there is one, and '' for none.",
)
@click.option(
    "--pattern", metavar="TEXT", help="How folders or runs are named, such as {variant}/seed{seed}."
)
@click.option(
    "--at",
    default="last",
    show_default=True,
    metavar="last|best|STEP",
    help="Which of a run's values counts.",
)
@click.option("--goal", metavar="minimise|maximise", help="Which values are better.  [default: minimise]")
@click.option("--higher-is-better", is_flag=True, help="For accuracies: the same as --goal maximise.")
@click.option("--unit", metavar="NAME", help="That all values are in; it is shown beside the metric.")
@click.option("--tracking-uri", metavar="URI", help="MLflow's store, for mlflow:EXPERIMENT.")
@click.option("--pairs", is_flag=True, help="Compare all pairs too.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    callback=_format,
    help=r"text, or latex: a table to \input into a paper; with --out, in DIR/tables, and DIR/report.tex.",
)
@click.option(
    "--columns", metavar="NAMES", help="Of the LaTeX table, by name, in this order, separated by commas."
)
@click.option(
    "--spread", metavar="NAME", help="Behind ± in the LaTeX table: interval or sd.  [default: interval]"
)
@click.option("--caption", metavar="TEXT", help="Of the LaTeX table; plain text.")
@click.option("--label", metavar="NAME", help="Of the LaTeX table.  [default: tab:comparisons]")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write report, tables and plots here."
)
@programs.as_json("Print one JSON document for programs instead of tables; see docs/for-programs.md.")
@programs.expect
def command(
    source: str,
    baseline: str | None,
    margin: float | None,
    variant: tuple[str, ...],
    seed: str | None,
    metric: str | None,
    task: str | None,
    pattern: str | None,
    at: str,
    goal: str | None,
    higher_is_better: bool,
    unit: str | None,
    tracking_uri: str | None,
    pairs: bool,
    form: str,
    columns: str | None,
    spread: str | None,
    caption: str | None,
    label: str | None,
    out: Path | None,
    as_json: bool,
    expected: tuple[Expectation, ...],
) -> int:
    """Compare the variants in SOURCE, as a report does.

    The runs may be recorded anywhere, each with a variant, a seed and a value. SOURCE is a CSV with one row for
    each run, mlflow:EXPERIMENT, optuna:STORAGE#STUDY, or a folder of TensorBoard (tensorboard:FOLDER), W&B
    (wandb:FOLDER) or metrics.json (json:FOLDER); see docs/recorded-runs.md.
    """
    from ablations.analysis.external.asked import Asked, compose
    from ablations.analysis.external.registry import read_source
    from ablations.analysis.external.variants import meant_baseline
    from ablations.analysis.programs.contents import document_of
    from ablations.analysis.programs.expectations import check_rows
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.results import Results
    from ablations.commands.shared.flags import with_flags
    from senet_core.errors import UserError

    style = _style(form, columns, spread, caption, label)
    if as_json and form == "latex" and out is None:
        raise UserError(
            "--json and --format latex both print: leave out one, or write the tables with --out DIR"
        )
    if higher_is_better and goal not in (None, "maximise"):
        raise UserError(f"--higher-is-better and --goal {goal} say opposite things: leave out one")
    names = tuple(name.strip() for given in variant for name in given.split(","))
    stated = "maximise" if higher_is_better else goal
    read = read_source(source, Asked(names, seed, metric, task, pattern, at, stated, unit, tracking_uri))
    variants = [str(name) for name in read.frame["variant"].unique()]
    if baseline is None:
        raise UserError(
            f"--baseline NAME says which variant the others are compared with: {', '.join(variants)}"
        )
    found = Results.from_frame(
        read.frame,
        baseline=meant_baseline(compose(baseline), variants),
        margin=_MARGIN if margin is None else margin,
        lower_is_better=read.goal != "maximise",
        value=read.metric,
        pairs=pairs,
    )
    lower = f"A lower {read.metric} counts as better; --higher-is-better is for accuracies."
    default = f"The smallest effect of interest is the default, {_MARGIN:g}; --margin sets it."
    assumed = (*((lower,) if read.goal is None else ()), *((default,) if margin is None else ()))
    notes = (*map(with_flags, read.notes), *found.notes, *assumed)
    place = Path(source).name if Path(source).is_file() else read.where
    found = replace(found, title=f"{place}: {read.metric} by {read.by}", notes=notes)
    document = document_of(found)
    check_rows(expected, document)
    if as_json:
        programs.print_document(document)
    elif form == "latex":
        _print_latex(found, style, to_file=out is not None)
    else:
        _print_tables(found)
    if out is not None:
        formats = ("md", "html", *(("latex",) if form == "latex" else ()))
        written = write_report(found, out, formats=formats, style=style)
        texts = (written.markdown, written.html, *([] if written.latex is None else [written.latex]))
        for path in (*texts, *written.figures, *written.tables):
            click.echo(path, err=as_json)
    return programs.judge(expected, document)


def _print_tables(found: FrameResults) -> None:
    from ablations.analysis.tables.frame import family_table, further_tables
    from ablations.analysis.tables.glance.glance import glance_of
    from ablations.analysis.tables.screen import ScreenTable
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.glance import print_glance

    console = make_console()
    print_glance(console, glance_of(found))
    console.print()
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
    for note in found.notes:
        console.print(note)


def _print_latex(found: FrameResults, style: PaperStyle, *, to_file: bool) -> None:
    """Print tables for a paper, and to the standard error what else is to be said."""
    from ablations.analysis.tables.frame import family_table, further_tables
    from ablations.analysis.tables.latex.several import latex_tables
    from ablations.analysis.tables.latex.table import too_wide

    families = [family_table(family) for family in found.families]
    made = latex_tables(families, list(further_tables(found)), style)
    if not to_file:
        click.echo("\n".join(made.values()), nl=False)
    wide = [note for table in families if (note := too_wide(table, style))]
    for note in (*found.notes, *wide):
        click.echo(note, err=True)
