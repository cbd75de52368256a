"""The tables of a frame from anywhere: one for each task, all pairs, and all tasks together."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.analysis.results.families import SampleFamily
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.tables.cells import Column, Mean, Table, TableRow, Text
from ablations.analysis.tables.comparisons import (
    COMPARED,
    compared_cells,
    comparison_notes,
    file_key,
    pair_table,
)
from ablations.analysis.tables.tasks import aggregate_table


def family_table(family: SampleFamily) -> Table:
    """Return the table of one task: values of its variants, and their comparisons with the baseline."""
    measure = family.measure
    rows = tuple(
        TableRow(
            (Text(o.label), Mean(o.level, o.planned, measure.decimals), *compared_cells(family, o)),
            family.kind(o),
        )
        for o in family.outcomes
    )
    columns = (Column("variant", "variant", "left"), Column(measure.key, measure.name), *COMPARED)
    means = f"{measure.name}: mean ± half-width of the 95 % t-interval (seeds)."
    title = "Comparisons" if family.axis is None else f"Task: {family.axis}"
    notes = (means, *comparison_notes(family.comparisons.values(), unit=""))
    return Table(_key(family), title, columns, rows, notes)


def further_tables(results: FrameResults) -> Iterator[Table]:
    """Return the tables of all pairs, where they were asked for, and of all tasks together."""
    for family in results.families:
        if family.axis in results.pairs:
            title = "All pairs" if family.axis is None else f"All pairs of task {family.axis}"
            yield pair_table(
                _key(family), title, results.pairs[family.axis], unit="", decimals=family.measure.decimals
            )
    if results.aggregates:
        yield aggregate_table(
            results.aggregates,
            results.baseline,
            tasks="tasks",
            head=results.measure.name,
            decimals=results.measure.decimals,
        )


def _key(family: SampleFamily) -> str:
    return "comparisons" if family.axis is None else f"task-{file_key(family.axis)}"
