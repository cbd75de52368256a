"""The tables of a tuned study: what was chosen for each row, and whether that changed a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import Choice
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.tables.cells import Column, Difference, Number, Table, TableCell, TableRow, Text
from ablations.planning.choices.space import Choice as Value
from ablations.planning.choices.space import Dimension
from ablations.planning.row import RowKind
from ablations.running.search.judged import State

_STATES: tuple[State, ...] = ("finished", "pruned", "diverged", "failed", "open")
_EDGE = 0.05
"""A chosen value within this share of its range's end may lie beyond it."""


def chosen_table(choices: Sequence[Choice], results: Results) -> Table:
    """Return for every row what was chosen, from how many proposals, and how it did on the validation images.

    Args:
        choices: of a tuned study, at least one.
        results: the study's design and record.
    """
    names = [dimension.name for dimension in choices[0].arm.space.dimensions]
    columns = (
        Column("variant", "variant", "left"),
        *(Column(name, name.replace("_", " ")) for name in names),
        Column("validation", "validation error, %"),
        Column("fixed", "with the study's recipe, %"),
        Column("proposals", "proposals", "left"),
    )
    rows = tuple(TableRow(_chosen_cells(choice, names), _kind(choice, results)) for choice in choices)
    return Table("chosen", "What was chosen for each row", columns, rows, _notes(choices, results))


def changed_table(results: Results) -> Table | None:
    """Return the verdicts with tuned recipes beside those with the study's own; None where that was not trained."""
    if results.fixed is None:
        return None
    columns = (
        Column("variant", "variant", "left"),
        Column("fixed", "study's recipe: to baseline"),
        Column("fixed_verdict", "verdict", "left"),
        Column("tuned", "tuned: to baseline"),
        Column("tuned_verdict", "verdict", "left"),
        Column("changed", "changed", "left"),
    )
    fixed, tuned = results.fixed.comparisons, results.comparisons
    rows = []
    for label, before in fixed.items():
        after = tuned.get(label)
        now = None if after is None else after.reading.verdict
        changed = None if now is None else "yes" if now != before.reading.verdict else "no"
        cells = (
            Text(label),
            _difference(before),
            Text(before.reading.verdict),
            Number(None) if after is None else _difference(after),
            Text(now),
            Text(changed),
        )
        rows.append(
            TableRow(
                cells, "plain" if results.design.plain and label == results.design.plain.label else "variant"
            )
        )
    notes = (
        "Both halves compare rows over the same seeds on the test images. Left, every row is trained with the study's "
        "own recipe; right, each with the one that was chosen for it. A verdict that changes from undetermined says "
        "that one of the two was able to tell, not that they contradict each other.",
    )
    return Table("changed", "Whether tuning changed a verdict", columns, tuple(rows), notes)


def tuned_answer(results: Results) -> str | None:
    """Return a sentence on how far the tuning is, or on the verdicts that it changed; None where there is none."""
    choices = results.choices
    if any(not choice.over for choice in choices):
        ended = sum(j.counts for choice in choices for j in choice.judged)
        planned = sum(choice.planned for choice in choices)
        return f"The choice of recipes is unfinished: {ended} of {planned} proposals have ended."
    if results.fixed is None or results.unfinished or results.fixed.unfinished:
        return None
    fixed, tuned = results.fixed.comparisons, results.comparisons
    changed = [
        f"{label} from {before.reading.verdict} to {tuned[label].reading.verdict}"
        for label, before in fixed.items()
        if label in tuned and before.reading.verdict != tuned[label].reading.verdict
    ]
    if not changed:
        return "Tuning each row's recipe changed no verdict."
    return f"Tuning each row's recipe changed {len(changed)} of {len(fixed)} verdicts: {'; '.join(changed)}."


def _chosen_cells(choice: Choice, names: Sequence[str]) -> tuple[TableCell, ...]:
    best = choice.best
    shown = [Text(None) if best is None else Text(_value(best.params[name])) for name in names]
    own = next((j for j in choice.judged if j.is_start and j.state != "failed"), None)
    return (
        Text(choice.arm.label),
        *shown,
        Number(None if best is None else best.values[0]),
        Number(None if own is None or own.values is None else own.values[0]),
        Text(counted(choice)),
    )


def counted(choice: Choice) -> str:
    """Return how many proposals of a choice ended in which way."""
    counts = Counter(j.state for j in choice.judged)
    told = [f"{counts[state]} {state}" for state in _STATES if counts[state]]
    return ", ".join(told) or "none"


def _notes(choices: Sequence[Choice], results: Results) -> tuple[str, ...]:
    tune = results.design.study.tune
    assert tune is not None
    spans = ", ".join(f"{d.name} {_range(d)}" for d in choices[0].arm.space.dimensions)
    notes = [
        f"Each row had {tune.trials} proposals of Optuna's {tune.sampler.upper()} sampler, the study's own recipe "
        f"first where it lies in the ranges, judged on {tune.validation_images:,} training images that were held back "
        f"(pruner: {tune.pruner}); no test image was read. Ranges: {spans}. The lowest of several validation errors is "
        "flattered by its luck: quote the test errors, not these."
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


def _range(dimension: Dimension) -> str:
    if dimension.choices:
        return "one of " + ", ".join(map(str, dimension.choices))
    return f"{dimension.low:g} to {dimension.high:g}{', logarithmic' if dimension.log else ''}"


def _value(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _kind(choice: Choice, results: Results) -> RowKind:
    design = results.design
    if choice.arm.label == design.baseline.label:
        return "baseline"
    return "plain" if design.plain is not None and choice.arm.label == design.plain.label else "variant"


def _difference(comparison: Comparison) -> Difference:
    d = comparison.difference
    return Difference(d.mean, d.lo, d.hi, sd=d.sd)
