"""The answer at a glance: at most three sentences in plain words, which claim no more than the verdicts do."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from ablations.analysis.tables.cells import fixed
from ablations.analysis.tables.choices.search import search_answer
from ablations.analysis.tables.choices.tuned import tuned_answer
from ablations.analysis.tables.confirmation import confirmation_answer
from ablations.analysis.tables.interactions import interaction_answer
from ablations.analysis.tables.page import page_of
from ablations.planning.metric import Metric

_MOST_NAMED, _MOST_CHARACTERS = 5, 60
Named = tuple[str, Comparison]
"""A row as sentences call it, and how it compares."""


def study_sentences(results: Results) -> tuple[str, ...]:
    """Return the answer to a study's question in one to three sentences, as far as its record allows."""
    own = _own(results)
    if results.undecided:
        return own
    family, page, metric = results.families[0], page_of(results.design.study), results.design.study.metric
    against = _baseline(results)
    if against is None:
        return (*own, "The baseline has no finished trial, so there is nothing to compare with.")
    if results.withheld is not None:
        return (f"It is too early for an answer; what is seen so far is set against {against}.",)
    plain = family.plain if family.plain == "plain" else None
    named = [
        (f"the {page.plain}" if label == plain else label, comparison)
        for label, comparison in results.comparisons.items()
    ]
    first, *rest = _compared(named, metric, against)
    return (*own, first, *rest) if results.choices else (first, *rest, *own)


def _baseline(results: Results) -> str | None:
    """Return what the rows are compared with, and its level; of several tasks each row with its own task's."""
    study, family = results.design.study, results.families[0]
    if len(results.tasks) > 1:
        return f"the baseline of each of the {study.task_words}"
    baseline, metric = family.outcome(family.baseline), study.metric
    if baseline.level.mean is None:
        return None
    return f"{page_of(study).name_of(baseline)} ({metric.name} {metric.text(baseline.level.mean)})"


def frame_sentences(results: FrameResults) -> tuple[str, ...]:
    """Return what a frame from anywhere shows, in one or two sentences."""
    families = results.families
    of = [f" on {family.axis}" if len(families) > 1 else "" for family in families]
    named = [
        (f"{label}{task}", comparison)
        for family, task in zip(families, of, strict=True)
        for label, comparison in family.comparisons.items()
    ]
    against = results.baseline
    levels = [o.level.mean for family in families for o in family.outcomes if o.label == results.baseline]
    if len(levels) == 1 and levels[0] is not None:
        metric = families[0].metric
        against += f" ({metric.name} {metric.text(levels[0])})"
    return _compared(named, families[0].metric, against)


def _compared(named: Sequence[Named], metric: Metric, against: str) -> tuple[str, ...]:
    """Return what is shown, and what is not, in one or two sentences."""
    measured = [(name, c) for name, c in named if c.difference.n]
    if not measured:
        return (f"No variant has a result yet that could be compared with {against}.",)
    most = max(c.difference.n for _, c in measured)
    if most < FEWEST_SEEDS:
        return (
            f"With n = {most} no claim about the variants is possible; the figures show that the study runs.",
        )
    clauses = [_shown(measured, verdict, metric) for verdict in ("better", "worse")]
    shown = " and ".join(clause for clause in clauses if clause)
    first = (
        f"Compared with {against}, the {metric.noun} is {shown}."
        if shown
        else f"No variant's {metric.noun} is shown to be lower or higher than that of {against}."
    )
    rest = _not_shown(measured, metric)
    return (first, rest) if rest else (first,)


def _shown(measured: Sequence[Named], verdict: str, metric: Metric) -> str:
    """Return "lower for A and B (by 1.2 to 2.3 points)"; "" where no row has this verdict."""
    found = [(name, abs(c.difference.mean or 0.0)) for name, c in measured if c.reading.verdict == verdict]
    if not found:
        return ""
    found.sort(key=lambda one: -one[1])
    sizes = list(dict.fromkeys(fixed(size, metric.decimals) for size in (found[-1][1], found[0][1])))
    by = metric.with_points(" and ".join(sizes[::-1]) if len(found) == 2 else " to ".join(sizes))
    return f"{metric.word(verdict)} for {_names([name for name, _ in found])} (by {by})"


def _not_shown(measured: Sequence[Named], metric: Metric) -> str:
    """Return which rows are as good as the baseline, and which are undetermined; "" where all are shown to differ."""
    alike = [(name, c) for name, c in measured if c.reading.verdict == "equivalent"]
    left = [(name, c) for name, c in measured if c.reading.verdict in ("undetermined", "no claim")]
    said = []
    if alike:
        within = metric.with_points(f"{alike[0][1].margin or 0:g}")
        said.append(f"for {_names([name for name, _ in alike])} it is shown to stay within {within}")
    if left:
        which = _names([name for name, _ in left])
        if len(left) > 2:
            which = f"the other {len(left)}" if len(left) < len(measured) else f"all {len(left)} variants"
        verb = "is" if len(left) == 1 else "are"
        said.append(f"undetermined {verb} {which}: {_range(left, metric)}")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _range(left: Sequence[Named], metric: Metric) -> str:
    """Return how large the differences may be that are not shown."""
    counts = sorted({c.difference.n for _, c in left})
    runs = f"{counts[0]} runs each" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs each"
    known = [c.difference for _, c in left if c.reading.verdict == "undetermined"]
    ends = [end for d in known for end in (d.lo, d.hi) if end is not None]
    if not ends:
        return f"with {runs} nothing is excluded"
    lo, hi = min(ends), max(ends)
    low, high = (fixed(abs(end), metric.decimals) for end in (lo, hi))
    if lo < 0 < hi and len(known) > 1:  # the ends may be of two rows
        lower, higher = metric.with_points(low), metric.with_points(high)
        return f"with {runs}, single ones may be up to {lower} lower or {higher} higher"
    if lo < 0 < hi:
        span = f"{metric.with_points(low)} lower to {metric.with_points(high)} higher"
    else:
        least, most = (low, high) if lo >= 0 else (high, low)
        span = f"{least} to {metric.with_points(most)} {'higher' if lo >= 0 else 'lower'}"
    which = "it" if len(known) == 1 else "single ones"
    return f"with {runs}, {which} may be anything from {span}"


def _names(names: Sequence[str]) -> str:
    """Return "A", "A and B", "A, B and C", "A, B, C, D, E and 2 more"; of long names fewer, but two at least."""
    most = next((n for n in range(_MOST_NAMED, 2, -1) if len(", ".join(names[:n])) <= _MOST_CHARACTERS), 2)
    shown = list(names[:most])
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown)} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _own(results: Results) -> tuple[str, ...]:
    """Return what the study's own way of asking came to, in a sentence: a choice, a confirmation, an interaction."""
    metric = results.design.study.metric
    found: str | None = None
    if results.choices and results.asked.study.search is not None:
        found = search_answer(results)
    elif results.choices:
        found = tuned_answer(results, numbers=False)
    elif results.withheld is None and results.confirmation is not None:
        found = confirmation_answer(results.confirmation, metric)
    elif results.withheld is None and results.combinations is not None:
        found = interaction_answer(results.combinations, metric, numbers=False)
    return () if found is None else (found,)
