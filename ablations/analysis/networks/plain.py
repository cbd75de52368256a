"""Every variant compared with the plain network: whether a block is better than none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.analysis.results.account import outcomes_by_row, rules_of
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.family import compare_family
from ablations.planning.networks.row import NetworkRow, network_row, network_rows

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results


def variants_of_plain(results: Results) -> tuple[NetworkRow, ...]:
    """Return the rows that differ from the plain network in their blocks alone, without the baseline.

    Of rows whose recipes were chosen, the recipes that the study was written with count. Rows of another backbone or
    recipe differ from the plain network in more than blocks; the baseline's comparison with it is the study's own.
    """
    plain = results.design.plain
    if plain is None:
        return ()
    written = {row.label: _but_for_blocks(row) for row in network_rows(results.asked.rows)}
    alike = written.get(plain.label, _but_for_blocks(network_row(plain)))
    apart = {plain.label, results.design.baseline.label}
    return tuple(
        row
        for row in network_rows(results.design.rows)
        if row.label not in apart and written.get(row.label, _but_for_blocks(row)) == alike
    )


def plain_pairs(results: Results) -> tuple[Comparison, ...]:
    """Return these rows' comparisons with the plain network, corrected for each other: a family beside the study's own.

    Args:
        results: of one task.

    Returns:
        No comparison where there is no such row, and while verdicts are withheld.
    """
    plain, rows = results.design.plain, variants_of_plain(results)
    if plain is None or not rows or results.withheld is not None:
        return ()
    every, pairs = (plain, *rows), [(row.label, plain.label) for row in rows]
    return compare_family(
        results.values(rows=every), pairs, rules_of(results), outcomes_by_row(results, every)
    )


def _but_for_blocks(row: NetworkRow) -> tuple[object, ...]:
    return (row.backbone, row.recipe, row.repeat, row.task)
