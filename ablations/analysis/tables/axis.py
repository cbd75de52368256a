"""The tables of a report: one for each axis in the paper's layout, or one over all rows of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ablations.analysis.results.families import Family, Outcome
from ablations.analysis.tables.cells import (
    Column,
    CostCell,
    Mean,
    Printed,
    Table,
    TableCell,
    TableRow,
    Text,
)
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.comparisons.keys import file_key
from ablations.analysis.tables.comparisons.notes import comparison_notes, unequal_seeds_note
from ablations.analysis.tables.comparisons.verdicts import COMPARED, compared_cells
from ablations.analysis.tables.published import PaperRow, paper_row
from ablations.analysis.tables.widths import width_notes, width_text
from ablations.planning.datasets import DATASETS
from ablations.planning.points import NOT_VARIED
from ablations.planning.study import Study

_ACCURACY = (Column("top1", "top-1 error, %"), Column("top5", "top-5 error, %", gives_way=1), *COMPARED)
_COST = (
    Column("parameters", "parameters (extra)", gives_way=2),
    Column("multiply_adds", "multiply-adds (extra)", in_paper=False),
    Column("widths", "units by stage", in_paper=False),
)
_PAPER = Column("paper", "paper: top-1 / top-5 (difference)", gives_way=3)


def axis_table(family: Family, study: Study) -> Table:
    """Return the table of one family in the paper's layout.

    Args:
        family: the rows and their comparisons.
        study: names the axes and the paper's tables.
    """
    axes = list(study.axes) if family.axis is None else [family.axis]
    columns = (
        Column("variant", "variant", "left"),
        *(Column(f"axis_{a}", a, "left", in_paper=False) for a in axes),
        *_ACCURACY,
    )
    rows = tuple(_row(family, outcome, axes, study) for outcome in family.outcomes)
    title = "All combinations" if family.axis is None else f"Axis: {family.axis}"
    table = Table(
        file_key(family.axis or "all"),
        title,
        (*columns, *_COST, _PAPER),
        rows,
        _notes(family, study),
        subject="Top-1 error of all combinations" if family.axis is None else f"Top-1 error by {family.axis}",
    )
    table = table.without_empty_columns()
    dropped = set()
    if len({tuple(o.widths.items()) for o in family.outcomes if o.widths}) < 2:
        dropped.add("widths")
    if not _in_paper(family, study):
        dropped.add(_PAPER.key)
    return _without(table, dropped)


def paper_difference(outcome: Outcome, family: Family, study: Study) -> float | None:
    """Return the paper's top-1 error of a row minus that of the study's baseline, where it prints both."""
    row, base = (_paper(o, family, study) for o in (outcome, family.outcome(family.baseline)))
    if row is None or base is None or outcome.label == family.baseline:
        return None
    return row.top1 - base.top1


def paper_tables_of(family: Family, study: Study) -> tuple[int, ...]:
    """Return the numbers of the paper's tables from which a family's figures come."""
    if not _in_paper(family, study):
        return ()
    rows = (_paper(outcome, family, study) for outcome in family.outcomes)
    return tuple(sorted({row.table for row in rows if row is not None}))


def _row(family: Family, outcome: Outcome, axes: Iterable[str], study: Study) -> TableRow:
    values = dict(outcome.row.values)
    cells: tuple[TableCell, ...] = (
        Text(outcome.label),
        *(Text(_axis_value(values, axis)) for axis in axes),
        Mean(outcome.level, outcome.planned),
        Mean(outcome.top5, outcome.planned),
        *compared_cells(family, outcome),
        *_cost(family, outcome),
        _printed(outcome, family, study),
    )
    return TableRow(cells, family.kind(outcome))


def _axis_value(values: Mapping[str, str], axis: str) -> str | None:
    value = values.get(axis, NOT_VARIED)
    return None if value == NOT_VARIED else value


def _cost(family: Family, outcome: Outcome) -> tuple[TableCell, ...]:
    plain = None if family.plain in (None, outcome.label) else family.outcome(family.plain or "")
    return (
        CostCell(
            outcome.parameters,
            _extra(outcome.parameters, None if plain is None else plain.parameters),
            exact=True,
        ),
        CostCell(
            outcome.multiply_adds,
            _extra(outcome.multiply_adds, None if plain is None else plain.multiply_adds),
            exact=False,
        ),
        Text(width_text(outcome.widths)),
    )


def _extra(count: int | None, plain: int | None) -> float | None:
    """Return per cent over the plain network."""
    return 100 * (count / plain - 1) if count is not None and plain else None


def _printed(outcome: Outcome, family: Family, study: Study) -> Printed:
    row = _paper(outcome, family, study)
    if row is None:
        return Printed(None, None, None)
    return Printed(row.top1, row.top5, paper_difference(outcome, family, study))


def _paper(outcome: Outcome, family: Family, study: Study) -> PaperRow | None:
    row, base = outcome.row, family.outcome(family.baseline).row
    if (row.backbone, row.recipe, row.repeat) != (base.backbone, base.recipe, 0):
        return None  # the paper varies none of them
    if DATASETS[row.data.name].asks:
        return None  # images of the user's own, of which the paper says nothing
    return paper_row(row.variant, family.axis, study.paper_tables)


def _in_paper(family: Family, study: Study) -> bool:
    """Return whether the paper has a figure for what is varied here; baseline and plain alone say little."""
    variants = [o for o in family.outcomes if o.label not in (family.baseline, family.plain)]
    return any(_paper(o, family, study) is not None for o in variants or family.outcomes)


def _notes(family: Family, study: Study) -> tuple[str, ...]:
    notes = [
        f"Errors: mean ± half-width of the {interval_words(family.comparisons.values()).level} (seeds). In brackets: "
        "extra cost over the plain network.",
        *comparison_notes(family.comparisons.values()),
    ]
    unequal = unequal_seeds_note(family)
    if unequal is not None:
        notes.append(unequal)
    if family.plain is None:
        notes.append("The study has no plain network, so no extra cost is stated.")
    notes += width_notes(family.outcomes)
    tables = paper_tables_of(family, study)
    if tables:
        notes.append(f"Paper: Table{'s' * (len(tables) > 1)} {', '.join(map(str, tables))}, one run each.")
    return tuple(notes)


def _without(table: Table, keys: set[str]) -> Table:
    kept = [place for place, column in enumerate(table.columns) if column.key not in keys]
    rows = tuple(replace(row, cells=tuple(row.cells[place] for place in kept)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)
