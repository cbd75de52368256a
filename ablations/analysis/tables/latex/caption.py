"""The caption of a paper's table: what is shown, n, the interval, the correction, and over what all of it holds."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.analysis.stats.comparison import Comparison, RestsOn
from ablations.analysis.tables.cells import Difference, Mean, Table
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.comparisons.verdicts import VerdictCell
from ablations.analysis.tables.latex.cells import SEEDS, Spread, seeds_of
from senet_core.words import counted


def caption_of(table: Table, shown: Table, spread: Spread) -> str:
    """Return the caption of a table, without markup.

    Args:
        table: as reports have it.
        shown: what of it the paper shows.
        spread: what stands behind ±.
    """
    keys = {column.key for column in shown.columns}
    cells = [cell for row in table.rows for cell, column in zip(row.cells, table.columns, strict=True)
             if column.key in keys]  # fmt: skip
    comparisons = [
        cell.comparison for row in table.rows for cell in row.cells if isinstance(cell, VerdictCell)
    ]
    said = [table.subject or table.title, *_seeds(table, keys)]
    words = interval_words(comparisons)
    means = any(isinstance(cell, Mean) for cell in cells)
    if means:
        said.append(_SPREADS[spread].format(level=words.level))
    if comparisons:
        differences = [cell for cell in cells if isinstance(cell, Difference)]
        said += _compared(table, comparisons, keys, spread if differences else None)
    if means or comparisons:
        said.append(f"All of this holds over {words.over.replace('images', 'data')}")
    return "".join(f"{sentence}. " for sentence in said).strip()


_SPREADS = {
    "interval": "Behind ±: half-width of the {level}",
    "sd": "Behind ±: standard deviation over seeds",
}


def _seeds(table: Table, keys: set[str]) -> Iterator[str]:
    found = sorted({n for n in seeds_of(table) if n})
    if len(found) == 1:
        yield f"n = {counted(found[0], 'seed')} each"
    elif found and SEEDS.key not in keys:
        yield f"n = {found[0]} to {found[-1]} seeds"


def _compared(
    table: Table, comparisons: list[Comparison], keys: set[str], spread: Spread | None
) -> Iterator[str]:
    schedule = next((c.schedule for c in comparisons if c.schedule is not None), None)
    baseline = next((row.cells[0].text() for row in table.rows if row.kind == "baseline"), None)
    if spread is not None:
        of = "Differences" if baseline is None else f"Differences to {baseline}"
        interval = f"their {interval_words(comparisons).difference}, each taken alone"
        paired = "paired by seed" if all(c.paired for c in comparisons) else "of different seeds"
        yield f"{of} are {paired}, with {_WITH[spread] or interval}"
    if keys & {"verdict", "p_corrected", "p_tost_corrected"}:
        test = _TESTS[next((c.rests_on for c in comparisons), "seeds")] if schedule is None else _SEQUENTIAL
        number = max((c.members for c in comparisons), default=0)
        how = "Holm's correction" if all(c.correction == "Holm" for c in comparisons) else "step-down max-T"
        margin = next((c.margin for c in comparisons if c.margin is not None), None)
        within = "" if margin is None else f"; equivalent: within ±{margin:g}"
        yield f"Verdicts: {test} with {how} over {counted(number, 'comparison')}{within}"


_SEQUENTIAL = "group-sequential paired t-tests"
_TESTS: dict[RestsOn, str] = {"seeds": "paired t-tests", "images": "t-tests over seeds and images"}
_WITH: dict[Spread, str] = {"sd": "the standard deviation of the differences", "interval": ""}
