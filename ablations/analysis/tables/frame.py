"""The tables of a frame from anywhere: one for each task, all pairs, and all tasks together."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.analysis.results.families import SampleFamily
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.tables.cells import Column, Mean, Table, TableCell, TableRow, Text
from ablations.analysis.tables.comparisons.details import pair_table
from ablations.analysis.tables.comparisons.keys import distinct_key
from ablations.analysis.tables.comparisons.notes import comparison_notes, unequal_seeds_notes
from ablations.analysis.tables.comparisons.verdicts import COMPARED, compared_cells
from ablations.analysis.tables.tasks import aggregate_table, over_tasks_table


def family_table(family: SampleFamily) -> Table:
    """Return the table of one task: values of its variants, and their comparisons with the baseline."""
    metric = family.metric
    columns = (
        Column("variant", "variant", "left"),
        Column(metric.key, metric.head, gives_way=3),
        *COMPARED,
    )
    rows = []
    for outcome in family.outcomes:
        level: tuple[TableCell, ...] = (
            Text(outcome.label),
            Mean(outcome.level, outcome.planned, metric.decimals),
        )
        rows.append(TableRow(level + compared_cells(family, outcome), family.kind(outcome)))
    means = f"{metric.name}: mean ± half-width of the 95 % t-interval (seeds)."
    title = "Comparisons" if family.axis is None else f"Task: {family.axis}"
    notes = (
        means,
        *unequal_seeds_notes(family),
        *comparison_notes(family.comparisons.values(), metric),
    )
    of = "" if family.axis is None else f", task {family.axis}"
    return Table(_key(family), title, columns, tuple(rows), notes, subject=f"{metric.name} by variant{of}")


def further_tables(results: FrameResults) -> Iterator[Table]:
    """Return the tables of all pairs, where they were asked for, and of all tasks together."""
    for family in results.families:
        if family.axis in results.pairs:
            title = "All pairs" if family.axis is None else f"All pairs of task {family.axis}"
            yield pair_table(_key(family), title, results.pairs[family.axis], family.metric)
    if results.over_tasks:
        yield over_tasks_table(results.over_tasks, tasks="tasks", metric=results.metric)
    if results.aggregates:
        yield aggregate_table(results.aggregates, results.baseline, tasks="tasks", metric=results.metric)


def _key(family: SampleFamily) -> str:
    return "comparisons" if family.axis is None else f"task-{distinct_key(family.axis)}"
