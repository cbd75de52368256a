"""Tables, plots and verdicts for a frame of (task, variant, seed, value) from anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ablations.analysis.plots.axis import draw_axis
from ablations.analysis.plots.data import AxisInfo, AxisRow
from ablations.analysis.plots.style import render
from ablations.analysis.stats.aggregates import aggregate
from ablations.analysis.stats.compare import compare, compare_pairs
from ablations.analysis.stats.family import Comparison
from ablations.analysis.stats.interval import Interval
from ablations.analysis.stats.paired import Estimate
from ablations.analysis.stats.seed_table import describe
from ablations.analysis.tables.cells import (
    Column,
    Difference,
    Mean,
    PValue,
    Table,
    TableCell,
    TableRow,
    Text,
)
from ablations.analysis.tables.comparisons import (
    comparison_notes,
    detail_table,
    file_key,
    pair_table,
    verdict_cell,
)
from ablations.analysis.tables.escape import markdown_escape
from ablations.analysis.tables.render import to_csv, to_markdown
from ablations.analysis.tables.tasks import aggregate_table
from ablations.planning.row import RowKind
from ablations.running.machine.durable import not_written
from senet_core.errors import UserError, unknown

_MOST_ROWS = 100  # beyond, a plot is longer than a page


@dataclass(frozen=True)
class Question:
    """How someone's results are to be read.

    Attributes:
        baseline: the variant that the others are compared with.
        margin: smallest effect of interest, in the units of the values.
        lower_is_better: True for errors and losses.
        pairs: whether all pairs are compared too.
        value: what the values are called.
    """

    baseline: str
    margin: float
    lower_is_better: bool = True
    pairs: bool = False
    value: str = "value"


@dataclass(frozen=True)
class Part:
    """What one task shows: its tables, the first with the verdicts, its plot, and the typical sd of differences."""

    title: str
    tables: tuple[Table, ...]
    plot: AxisInfo | None
    sd: float | None


@dataclass(frozen=True)
class Analysis:
    """What a file shows.

    Attributes:
        parts: one for each task, in the order of the file.
        together: over all tasks; None for one task.
    """

    parts: tuple[Part, ...]
    together: Table | None


def analyse(frame: pd.DataFrame, question: Question, *, has_tasks: bool = False) -> Analysis:
    """Compare the variants of a frame, task by task and over all tasks.

    Args:
        frame: columns `task`, `variant`, `seed`, `value`; a value that is NaN is missing.
        question: how to read it.
        has_tasks: whether the tasks have names that a reader knows.

    Raises:
        UserError: the baseline is not among the variants, there is only one variant, no seed is shared, or the margin
            is not above 0.
    """
    names = list(frame["variant"].unique())
    if question.baseline not in names:
        raise unknown("variant", question.baseline, names)
    if len(names) < 2:
        raise UserError(f"there is one variant, {names[0]!r}; a comparison needs two or more")
    parts = []
    for task, rows in frame.groupby("task", sort=False):
        if question.baseline in set(rows["variant"]) and rows["variant"].nunique() > 1:
            parts.append(_part(rows, question, str(task) if has_tasks else None))
    if not any(_shares(rows, question.baseline) for _, rows in frame.groupby("task")):
        raise UserError(
            f"no variant shares a measured seed with {question.baseline!r}; comparisons are made in pairs, seed by seed"
        )
    together = None
    if frame["task"].nunique() > 1:
        found = aggregate(frame, question.baseline, lower_is_better=question.lower_is_better)
        decimals = _decimals([part.sd for part in parts])
        together = aggregate_table(
            found, question.baseline, tasks="tasks", head=question.value, decimals=decimals
        )
    return Analysis(tuple(parts), together)


def write_analysis(
    analysis: Analysis, folder: Path, title: str, notes: Sequence[str] = ()
) -> tuple[Path, ...]:
    """Write an analysis as `report.md` with its tables (CSV) and plots (SVG, PNG) beside it.

    Args:
        analysis: what to write.
        folder: made if it does not exist.
        title: of the report.
        notes: sentences below the title.

    Raises:
        UserError: the folder cannot be written.
        DiskError: the disk is full.
    """
    text = [f"# {markdown_escape(title)}", *map(markdown_escape, notes)]
    files: dict[str, bytes] = {}
    for part in analysis.parts:
        text.append(f"## {markdown_escape(part.title)}")
        for place, table in enumerate(part.tables):
            text += [f"### {markdown_escape(table.title)}"] if place else []
            text += [to_markdown(table), *map(markdown_escape, table.notes)]
            files[f"tables/{table.key}.csv"] = to_csv(table).encode()
            if place == 0 and part.plot is not None:
                for suffix, image in render(draw_axis(part.plot), ("svg", "png")).items():
                    files[f"figures/{table.key}.{suffix}"] = image
                text.append(f"![{markdown_escape(part.title)}](figures/{table.key}.svg)")
    if analysis.together is not None:
        text += [f"## {analysis.together.title}", to_markdown(analysis.together)]
        text += map(markdown_escape, analysis.together.notes)
        files["tables/aggregates.csv"] = to_csv(analysis.together).encode()
    files["report.md"] = ("\n\n".join(text) + "\n").encode()
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise not_written(f"to {str(folder)!r}", error, chosen=True) from error
    return tuple(folder / name for name in files)


def _part(rows: pd.DataFrame, question: Question, task: str | None) -> Part:
    title = "Comparisons" if task is None else f"Task: {task}"
    key = "comparisons" if task is None else f"task-{file_key(task)}"
    found = {
        c.variant: c
        for c in compare(
            rows, question.baseline, margin=question.margin, lower_is_better=question.lower_is_better
        )
    }
    levels = describe(rows)
    spreads = [c.difference.sd for c in found.values() if c.difference.sd]
    sd = float(np.median(spreads)) if spreads else None
    decimals = _decimals([sd])
    columns = (
        Column("variant", "variant", "left"),
        Column("value", question.value),
        Column("difference", f"difference to {question.baseline}"),
        Column("p_holm", "p (Holm)"),
        Column("p_tost_holm", "p, equivalence"),
        Column("verdict", "verdict", "left"),
    )
    planned = int(rows["seed"].nunique())
    made = tuple(_row(name, level, found.get(name), decimals, planned) for name, level in levels.items())
    means = f"{question.value}: mean ± half-width of the 95 % t-interval (seeds)."
    notes = (means, *comparison_notes(found.values(), unit=""))
    tables = [
        Table(key, title, columns, made, notes),
        detail_table(key, found.values(), decimals=decimals + 1),
    ]
    if question.pairs:
        pairs = compare_pairs(rows, margin=question.margin, lower_is_better=question.lower_is_better)
        tables.append(pair_table(key, "All pairs", pairs, unit="", decimals=decimals))
    plot = _plot(rows, levels, found, question) if len(levels) <= _MOST_ROWS else None
    return Part(title, tuple(tables), plot, sd)


def _row(name: str, level: Estimate, found: Comparison | None, decimals: int, planned: int) -> TableRow:
    d = None if found is None else found.difference
    rows: tuple[TableCell, ...] = (
        Text(name),
        Mean(level, planned, decimals),
        Text(None) if d is None else Difference(d.mean, d.lo, d.hi, decimals=decimals),
        PValue(None if found is None else found.p_holm),
        PValue(None if found is None else found.p_tost_holm),
        verdict_cell(found, "baseline" if found is None else None),
    )
    return TableRow(rows, "baseline" if found is None else "variant")


def _plot(
    rows: pd.DataFrame, levels: dict[str, Estimate], found: dict[str, Comparison], question: Question
) -> AxisInfo | None:
    made = []
    for name, level in levels.items():
        if level.mean is None:
            continue
        values = tuple(rows.loc[rows["variant"] == name, "value"].dropna())
        c = found.get(name)
        d = None if c is None else c.difference
        difference = None if d is None or d.mean is None else Interval(d.mean, d.lo, d.hi)
        kind: RowKind = "baseline" if c is None else "variant"
        verdict = "" if c is None else c.reading.verdict
        made.append(
            AxisRow(name, kind, values, Interval(level.mean, level.lo, level.hi), difference, verdict)
        )
    baseline = next((row.error for row in made if row.kind == "baseline"), None)
    return AxisInfo(tuple(made), baseline, question.margin, question.value, "difference") if made else None


def _shares(rows: pd.DataFrame, baseline: str) -> bool:
    measured = rows[rows["value"].notna()]
    own = set(measured.loc[measured["variant"] == baseline, "seed"])
    return bool(measured.loc[measured["variant"] != baseline, "seed"].isin(own).any())


def _decimals(spreads: Sequence[float | None]) -> int:
    """Two digits of the typical spread, and at least two decimals."""
    known = [sd for sd in spreads if sd]
    if not known:
        return 2
    return min(8, max(2, 1 - math.floor(math.log10(float(np.median(known))))))
