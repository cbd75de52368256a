"""The section of a report on pruned networks: rankings at each ratio, and error against what the networks cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from ablations.analysis.report.parts import Extra, Plot
from ablations.analysis.results.account import rules_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.family import compare_family
from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.comparisons.details import pair_table
from ablations.analysis.tables.comparisons.notes import ON_TOP
from ablations.experiments.pruning.curves import CAPTION, curves_info, draw_curves
from ablations.planning.factors.row import FactorRow
from ablations.planning.row import Row

TITLE = "Rankings at each ratio"


def sections_of(results: Results) -> Iterator[Extra]:
    """Yield the section, once there is something to show."""
    tables = tuple(_tables(results))
    info = curves_info(results)
    drawn = bool(info.panels) and any(len(line.points) > 1 for panel in info.panels for line in panel.lines)
    plots = (Plot("pruning", CAPTION, draw_curves(info), info),) if drawn else ()
    if tables or plots:
        yield Extra(TITLE, tables, plots)


def choices_of(row: Row) -> tuple[str, float]:
    """Return ranking and ratio of a row."""
    assert isinstance(row, FactorRow)
    values = json.loads(row.factors)
    return values["ranking"], values["ratio"]


def _tables(results: Results) -> Iterator[Table]:
    """Yield the comparisons of each ranking with the baseline's ranking at the same ratio, corrected together.

    Those at the baseline's own ratio alone are in the study's table already.
    """
    usual, _ = choices_of(results.design.baseline)
    rows = {(row.repeat, *choices_of(row)): row for row in results.design.rows}
    pairs = [
        (row.label, rows[repeat, usual, ratio].label)
        for (repeat, ranking, ratio), row in rows.items()
        if ranking != usual and (repeat, usual, ratio) in rows
    ]
    if results.withheld is not None or len({against for _, against in pairs}) < 2:
        return
    found = compare_family(results.values(rows=list(rows.values())), pairs, rules_of(results))
    title = f"{TITLE}, each compared with {usual}"
    table = pair_table("rankings", title, found, results.design.study.metric)
    yield replace(table, notes=(*table.notes, ON_TOP))
