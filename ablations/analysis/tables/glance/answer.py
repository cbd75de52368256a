"""The answer at a glance: at most three sentences in plain words, which claim no more than the verdicts do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from ablations.analysis.tables.choices.search import search_answer
from ablations.analysis.tables.choices.tuned import tuned_answer
from ablations.analysis.tables.confirmation import confirmation_answer
from ablations.analysis.tables.glance.choices import choice_sentences
from ablations.analysis.tables.glance.clauses import (
    Named,
    alike,
    listed,
    reach,
    sentence,
    shown,
    undetermined,
)
from ablations.analysis.tables.interactions import interaction_answer
from ablations.analysis.tables.page import page_of
from ablations.planning.metric import Metric


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
    named = {
        label: (f"the {page.plain}" if label == family.plain == "plain" else label, comparison)
        for label, comparison in results.comparisons.items()
    }
    if not own and len(results.tasks) == 1:
        found = choice_sentences(_by_axis(results, named), named.get(family.plain or ""), metric, against)
        if found:
            return found
    first, *rest = _compared(tuple(named.values()), metric, against)
    return (*own, first, *rest) if results.choices else (first, *rest, *own)


def _by_axis(results: Results, named: Mapping[str, Named]) -> dict[str, list[Named]]:
    """Return the compared rows of each axis that is varied alone, in the order of the study."""
    return {
        family.axis: [
            named[o.label] for o in family.outcomes if family.kind(o) == "variant" and o.label in named
        ]
        for family in results.families
        if family.axis is not None
    }


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
    differing = shown(measured, metric)
    first = (
        f"Compared with {against}, the {metric.noun} is {differing}."
        if differing
        else f"No variant's {metric.noun} is shown to be lower or higher than that of {against}."
    )
    rest = _not_shown(measured, metric)
    return (first, rest) if rest else (first,)


def _not_shown(measured: Sequence[Named], metric: Metric) -> str:
    """Return which rows are as good as the baseline, and which are undetermined; "" where all are shown to differ."""
    same = [(name, c) for name, c in measured if c.reading.verdict == "equivalent"]
    left = [(name, c) for name, c in measured if c.reading.verdict in ("undetermined", "no claim")]
    said = []
    if same:
        said.append(alike(listed([name for name, _ in same]), same[0][1].margin, metric))
    if left:
        which = listed([name for name, _ in left])
        if len(left) > 2:
            which = f"the other {len(left)}" if len(left) < len(measured) else f"all {len(left)} variants"
        said.append(f"{undetermined(len(left))} {which}: {reach(left, metric)}")
    return sentence(said)


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
