"""The tables of a report: one for each axis in the paper's layout, or one over all rows of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ablations.analysis.results.families import COSTS, Family, Outcome
from ablations.analysis.tables.cells import Column, CostCell, Mean, Table, TableCell, TableRow, Text
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.comparisons.keys import family_key
from ablations.analysis.tables.comparisons.notes import comparison_notes, unequal_seeds_notes
from ablations.analysis.tables.comparisons.verdicts import COMPARED, compared_cells
from ablations.analysis.tables.page import Page, page_of
from ablations.planning.designs.components import ComponentsDesign, component_name
from ablations.planning.metric import Metric
from ablations.planning.points import NOT_VARIED
from ablations.planning.study import Study

_NOT_IN_PAPER = ("multiply_adds",)
HAS = "✓"
"""A component that a row has."""


def axis_table(family: Family, study: Study) -> Table:
    """Return the table of one family in the paper's layout.

    Args:
        family: the rows and their comparisons.
        study: names the axes, and says what its experiment measures.
    """
    study = study.of_task(family.task)
    page, metrics = page_of(study), study.experiment.metrics
    axes = list(study.axes) if family.axis is None else [family.axis]
    costs = _costs(family)
    columns = (
        Column("variant", "variant", "left"),
        *_axis_columns(axes, study),
        Column(metrics[0].key, metrics[0].head),
        *(Column(metric.key, metric.head, gives_way=1) for metric in metrics[1:]),
        *COMPARED,
        *(_cost_column(name, extra=family.plain is not None) for name in costs),
        *page.columns(),
    )
    rows = tuple(_row(family, outcome, (axes, metrics, costs), page) for outcome in family.outcomes)
    together = "Components" if isinstance(study.kind, ComponentsDesign) else "All combinations"
    on = f" on {family.task}" if family.task else ""
    title = f"{together}{on}" if family.axis is None else f"Axis: {family.name}"
    name = metrics[0].name[:1].upper() + metrics[0].name[1:]
    table = Table(
        family_key(family.axis, family.task),
        title,
        columns,
        rows,
        tuple(_notes(family, page)),
        subject=f"{name} of {together.lower()}{on}" if family.axis is None else f"{name} by {family.name}",
    )
    return _without(table.without_empty_columns(), page.dropped(family))


def _row(
    family: Family,
    outcome: Outcome,
    shown: tuple[Iterable[str], tuple[Metric, ...], Iterable[str]],
    page: Page,
) -> TableRow:
    axes, metrics, costs = shown
    cells: tuple[TableCell, ...] = (
        Text(outcome.label),
        *(_axis_cell(family, outcome, axis, page.study) for axis in axes),
        Mean(outcome.level, outcome.planned, metrics[0].decimals),
        *(Mean(outcome.others[metric.key], outcome.planned, metric.decimals) for metric in metrics[1:]),
        *compared_cells(family, outcome),
        *(_cost(family, outcome, name) for name in costs),
        *page.cells(family, outcome),
    )
    return TableRow(cells, family.kind(outcome))


def _axis_columns(axes: Iterable[str], study: Study) -> Iterator[Column]:
    """Return a column for each axis; of a study of components they are what its table is about."""
    parts = isinstance(study.kind, ComponentsDesign)
    for axis in axes:
        head = component_name(axis) if parts else "written as" if axis == "variant" else axis
        yield Column(f"axis_{axis}", head, "left", in_paper=parts, narrow=parts)


def _axis_cell(family: Family, outcome: Outcome, axis: str, study: Study) -> Text:
    """Return a row's value on an axis, or whether it has the component that the axis stands for."""
    value, kind = dict(outcome.row.values).get(axis, NOT_VARIED), study.kind
    if isinstance(kind, ComponentsDesign):
        base = dict(family.outcome(family.baseline).row.values).get(axis, NOT_VARIED)
        return Text(HAS if kind.has(value != base) else None)
    return Text(None if value == NOT_VARIED else value)


def _costs(family: Family) -> tuple[str, ...]:
    """Return the sizes that are known of any row, those of networks first."""
    found = dict.fromkeys(name for outcome in family.outcomes for name in outcome.costs)
    return tuple(sorted(found, key=lambda name: COSTS.index(name) if name in COSTS else len(COSTS)))


def _cost_column(name: str, *, extra: bool) -> Column:
    words = name.replace("_", "-" if name in COSTS else " ")
    head = f"{words} (extra)" if extra else words
    return Column(name, head, gives_way=2 if name == COSTS[0] else 0, in_paper=name not in _NOT_IN_PAPER)


def _cost(family: Family, outcome: Outcome, name: str) -> CostCell:
    plain = None if family.plain in (None, outcome.label) else family.outcome(family.plain or "")
    count, base = outcome.costs.get(name), None if plain is None else plain.costs.get(name)
    extra = 100 * (count / base - 1) if count is not None and base else None
    return CostCell(count, extra, exact=name not in _NOT_IN_PAPER)


def _notes(family: Family, page: Page) -> Iterator[str]:
    level = interval_words(family.comparisons.values()).level
    name = "Errors" if family.metric.unit == "%" and family.metric.lower_is_better else family.metric.name
    extra = f" In brackets: extra cost over the {page.plain}." if family.plain is not None else ""
    yield f"{name[:1].upper()}{name[1:]}: mean ± half-width of the {level} (seeds).{extra}"
    yield from comparison_notes(family.comparisons.values(), family.metric)
    yield from family.places
    yield from unequal_seeds_notes(family)
    yield from page.notes(family)


def _without(table: Table, keys: set[str]) -> Table:
    kept = [place for place, column in enumerate(table.columns) if column.key not in keys]
    rows = tuple(replace(row, cells=tuple(row.cells[place] for place in kept)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)
