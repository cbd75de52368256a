"""The tables of a tuned study: what was chosen for each row, and what that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import Choice
from ablations.analysis.results.tuning import Effect, TunedRow, tuned_rows
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from ablations.analysis.tables.cells import (
    Column,
    Difference,
    Mean,
    Number,
    PValue,
    Table,
    TableCell,
    TableRow,
    Text,
    p_text,
)
from ablations.analysis.tables.page import page_of
from ablations.planning.choices.space import Choice as Value
from ablations.planning.choices.space import Dimension
from ablations.planning.metric import Metric
from ablations.planning.row import RowKind
from ablations.running.search.judged import State

_STATES: tuple[State, ...] = ("finished", "pruned", "diverged", "failed", "open")
NOTHING_CHANGED = "no row's difference to the baseline is shown to change"
_EDGE = 0.05
"""A chosen value within this share of its range's end may lie beyond it."""


def chosen_table(choices: Sequence[Choice], results: Results) -> Table:
    """Return for every row what was chosen, from how many proposals, and how it did on validation data.

    Args:
        choices: of a tuned study, at least one.
        results: the study's design and record.
    """
    names = [dimension.name for dimension in choices[0].arm.space.dimensions]
    columns = (
        Column("variant", "variant", "left"),
        *(Column(name, name.replace("_", " ")) for name in names),
        Column("validation", choices[0].arm.judged_by.metric.head),
        Column("fixed", _with_own(results, choices[0].arm.judged_by.metric)),
        Column("proposals", "proposals", "left"),
    )
    rows = tuple(TableRow(_chosen_cells(choice, names), _kind(choice, results)) for choice in choices)
    return Table("chosen", "What was chosen for each row", columns, rows, _notes(choices, results))


def changed_table(results: Results) -> Table | None:
    """Return what tuning changed of each row, and of its difference to the baseline; None where that is not known."""
    rows, metric = tuned_rows(results), results.design.study.metric
    if not rows:
        return None
    columns = (
        Column("variant", "variant", "left"),
        Column("fixed", _with_own(results, metric)),
        Column("tuned", "tuned" + _unit(metric)),
        Column("gain", "tuned minus fixed"),
        Column("p_gain", "p (Holm)"),
        Column("change", "change of the difference to baseline"),
        Column("p_change", "p (Holm)"),
        Column("verdict", "difference to baseline", "left"),
    )
    words, [own, _] = page_of(results.design.study).choice_words(), results.design.study.chosen
    side = "below" if metric.lower_is_better else "above"
    notes = (
        f"Every row is compared with itself, {words.compared}: with the {own} chosen for it, and with the study's own. "
        "The change of the difference to the baseline is the row's figure minus the baseline's: "
        f"{side} 0 tuning served the row more than the baseline. Intervals are 95 % t-intervals, each taken alone; p "
        "is the paired t-test's, corrected (Holm) over the rows of its column. “Not shown to change” is no sign that "
        "nothing changed. That one of two differences is shown and the other is not, is no sign that they differ.",
    )
    design = results.design
    planned = len(design.seeds)
    shown = tuple(
        TableRow(_changed_cells(row, planned, metric.decimals), _kind_of(row.label, results)) for row in rows
    )
    return Table("changed", "What tuning changed", columns, shown, notes)


def _changed_cells(row: TunedRow, planned: int, decimals: int) -> tuple[TableCell, ...]:
    change = row.change
    return (
        Text(row.label),
        Mean(row.fixed, planned, decimals),
        Mean(row.tuned, planned, decimals),
        _difference(row.gain, decimals),
        PValue(row.gain.p_corrected),
        Number(None) if change is None else _difference(change, decimals),
        PValue(None if change is None else change.p_corrected),
        Text(None if change is None else _change_word(change)),
    )


def _change_word(change: Effect) -> str:
    if change.difference.n < FEWEST_SEEDS or change.p_corrected is None:
        return "no claim"
    return "changed" if change.is_shown else "not shown to change"


def tuned_answer(results: Results, *, numbers: bool = True) -> str | None:
    """Return a sentence on how far the tuning is, or on what it changed; None where there is none.

    Args:
        results: of a study with tuning.
        numbers: whether intervals and p stand beside what changed.
    """
    choices, metric = results.choices, results.design.study.metric
    if any(not choice.over for choice in choices):
        ended = sum(j.counts for choice in choices for j in choice.judged)
        planned = sum(choice.planned for choice in choices)
        several = results.design.study.chosen[1]
        return f"The choice of {several} is unfinished: {ended} of {planned} proposals have ended."
    rows = tuned_rows(results)
    if not rows or results.unfinished or (results.fixed is not None and results.fixed.unfinished):
        return None
    if all(row.gain.difference.n < FEWEST_SEEDS for row in rows):
        return None
    gains = {row.label: row.gain.difference.mean or 0.0 for row in rows if row.gain.is_shown}
    said = [
        f"{verb} the {metric.noun} of {_named([label for label in gains if (gains[label] < 0) == lower], len(rows))}"
        for verb, lower in (("lowered", True), ("raised", False))
        if any((gain < 0) == lower for gain in gains.values())
    ]
    first = " and ".join(said) if said else f"is not shown to have changed any row's {metric.noun}"
    changes = [(row.label, row.change) for row in rows if row.change is not None]
    changed = [
        f"{label} ({metric.with_points(_difference(change, metric.decimals).text())}, p = "
        f"{p_text(change.p_corrected or 0.0)})"
        if numbers
        else label
        for label, change in changes
        if change.is_shown
    ]
    second = f"the difference to the baseline changed for {', '.join(changed)}"
    return f"Tuning {first}; {second if changed else NOTHING_CHANGED}."


def _named(labels: Sequence[str], rows: int) -> str:
    return "every row" if len(labels) == rows > 1 else ", ".join(labels)


def _chosen_cells(choice: Choice, names: Sequence[str]) -> tuple[TableCell, ...]:
    best = choice.best
    shown = [Text(None) if best is None else Text(_value(best.params[name])) for name in names]
    own = next((j for j in choice.judged if j.is_start and j.state != "failed"), None)
    decimals = choice.arm.judged_by.metric.decimals
    return (
        Text(choice.arm.label),
        *shown,
        Number(None if best is None else best.values[0], decimals),
        Number(None if own is None or own.values is None else own.values[0], decimals),
        Text(counted(choice)),
    )


def counted(choice: Choice) -> str:
    """Return how many proposals of a choice ended in which way."""
    counts = Counter(j.state for j in choice.judged)
    told = [f"{counts[state]} {state}" for state in _STATES if counts[state]]
    return ", ".join(told) or "none"


def _notes(choices: Sequence[Choice], results: Results) -> tuple[str, ...]:
    tune, words = results.design.study.tune, page_of(results.design.study).choice_words()
    assert tune is not None
    spans = ", ".join(f"{d.name} {d}" for d in choices[0].arm.space.dimensions)
    notes = [
        f"Each row had {tune.trials} proposals of Optuna's {tune.sampler.upper()} sampler, {words.own_first}, judged "
        f"{words.judged} (pruner: {tune.pruner}); {words.unread}. Ranges: {spans}. {words.quote_tuned}"
    ]
    near = [
        f"{choice.arm.label}: {dimension.name}"
        for choice in choices
        for dimension in choice.arm.space.dimensions
        if choice.best is not None and _is_at_edge(dimension, choice.best.params[dimension.name])
    ]
    if near:
        notes.append(f"At an end of its range, so that the best value may lie beyond: {', '.join(near)}.")
    return tuple(notes)


def _is_at_edge(dimension: Dimension, value: Value) -> bool:
    if dimension.choices or isinstance(value, str):
        return False
    low, high, at = dimension.low, dimension.high, float(value)
    if dimension.log:
        share: float = (high / low) ** _EDGE
        return at < low * share or at > high / share
    return at < low + _EDGE * (high - low) or at > high - _EDGE * (high - low)


def _value(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _kind(choice: Choice, results: Results) -> RowKind:
    return _kind_of(choice.arm.label, results)


def _kind_of(label: str, results: Results) -> RowKind:
    design = results.design
    if label == design.baseline.label:
        return "baseline"
    return "plain" if design.plain is not None and label == design.plain.label else "variant"


def _difference(effect: Effect, decimals: int) -> Difference:
    d = effect.difference
    return Difference(d.mean, d.lo, d.hi, sd=d.sd, decimals=decimals)


def _with_own(results: Results, metric: Metric) -> str:
    return f"with the study's {results.design.study.chosen[0]}{_unit(metric)}"


def _unit(metric: Metric) -> str:
    return f", {metric.unit}" if metric.unit else ""
