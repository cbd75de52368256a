"""The short answer of a report, in a few generated sentences that claim no more than the comparisons do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablations.analysis.results.families import Outcome
from ablations.analysis.results.results import Results
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from ablations.analysis.tables.cells import Difference, fixed, p_text
from ablations.analysis.tables.comparisons.intervals import IntervalWords, interval_words
from ablations.analysis.tables.glance.clauses import nearest, sentence
from ablations.analysis.tables.glance.glance import progress_sentence
from ablations.analysis.tables.page import page_of
from ablations.planning.metric import Metric

_MOST_NAMED = 4
_VERDICTS = ("better", "worse")


def short_answer(results: Results) -> tuple[str, ...]:
    """Return the answer to a study's question, as far as its record allows.

    Returns:
        One to five sentences, without markup.
    """
    progress = (progress_sentence(results),) if results.unfinished else ()
    parts = results.tasks
    if len(parts) == 1:
        return (*progress, *_of_task(results))
    return (*progress, *(f"On {part.task}: {' '.join(_of_task(part))}" for part in parts))


def _of_task(results: Results) -> tuple[str, ...]:
    groups, said = results.families, list[str]()
    baseline = groups[0].outcome(groups[0].baseline)
    if baseline.level.mean is None:
        return (*said, "The baseline has no finished trial, so there is nothing to compare with.")
    metric, page = results.design.study.metric, page_of(results.design.study)
    words = interval_words(results.comparisons.values())
    said.append(_level(page.name_of(baseline), baseline, words, metric))
    if results.withheld is not None:
        return tuple(said)
    found = dict(results.comparisons)
    plain = groups[0].plain
    if plain is not None and plain in found:
        said.append(_against_plain(found.pop(plain), metric, page.plain))
    compared = {label: c for label, c in found.items() if c.difference.n >= FEWEST_SEEDS}
    if any(0 < c.difference.n < FEWEST_SEEDS for c in found.values()) and not compared:
        most = max(c.difference.n for c in found.values())
        said.append(
            f"With n = {most} no claim about the variants is possible; the figures show that the study runs."
        )
        return tuple(said)
    return (*said, *_settled(compared, metric), *_open(compared, metric))


def _level(name: str, baseline: Outcome, words: IntervalWords, metric: Metric) -> str:
    e, places = baseline.level, metric.decimals
    half = (
        f" ± {e.half_width:.{places}f} ({words.level}, {e.n} seeds)"
        if e.half_width is not None
        else f" (n = {e.n})"
    )
    article = "an" if metric.name[0].lower() in "aeiou" else "a"
    value = "" if e.mean is None else metric.text(e.mean)
    return f"The baseline, {name}, has {article} {metric.name} of {value}{half}."


def _against_plain(comparison: Comparison, metric: Metric, plain: str) -> str:
    d, verdict = comparison.difference, comparison.reading.verdict
    if d.mean is None:
        return f"The {plain} has no seed in common with the baseline."
    if verdict == "no claim":
        return f"Against the {plain} no claim is possible at n = {d.n}."
    stated = _stated(comparison, metric)
    if verdict == "undetermined":
        return f"Whether the {plain} has a higher or a lower {metric.noun} is undetermined: {stated}."
    if verdict == "equivalent":
        return f"The {plain} is equivalent to the baseline within {_margin(comparison, metric)}: {stated}."
    return f"The {plain} has a {metric.word(verdict)} {metric.noun} than the baseline: {stated}."


def _margin(comparison: Comparison, metric: Metric) -> str:
    return metric.with_points(f"±{comparison.margin:g}")


def _stated(comparison: Comparison, metric: Metric) -> str:
    d = comparison.difference
    alike = comparison.reading.verdict == "equivalent"
    corrected = comparison.p_tost_corrected if alike else comparison.p_corrected
    kind = " of equivalence" if alike else ""
    p = f", p{kind} = {p_text(corrected)}" if corrected is not None else ""
    shown = Difference(d.mean, d.lo, d.hi, decimals=metric.decimals).text()
    return f"{metric.with_points(shown)}{p}".replace(" = <", " < ")


def _settled(compared: Mapping[str, Comparison], metric: Metric) -> list[str]:
    said = []
    for verdict in _VERDICTS:
        chosen = [c for c in compared.values() if c.reading.verdict == verdict]
        chosen.sort(key=lambda c: -abs(c.difference.mean or 0))
        if chosen:
            said.append(
                f"A {metric.word(verdict)} {metric.noun} than the baseline's: {_named(chosen, metric)}."
            )
    alike = [c for c in compared.values() if c.reading.verdict == "equivalent"]
    if alike:
        within = _margin(alike[0], metric)
        said.append(f"Equivalent to the baseline within {within}: {_named(alike, metric)}.")
    return said


def _named(chosen: Sequence[Comparison], metric: Metric) -> str:
    named = ", ".join(f"{c.variant} ({_stated(c, metric)})" for c in chosen[:_MOST_NAMED])
    return named + (f" and {len(chosen) - _MOST_NAMED} more" if len(chosen) > _MOST_NAMED else "")


def _open(compared: Mapping[str, Comparison], metric: Metric) -> list[str]:
    undetermined = [c for c in compared.values() if c.reading.verdict == "undetermined"]
    left = [c.difference for c in undetermined]
    if not left:
        return []
    near = nearest([(c.variant, c) for c in undetermined])
    forecast = f" {sentence([near])}" if near else ""
    ends = [end for d in left for end in (d.lo, d.hi) if end is not None]
    reach = ""
    if ends:
        least, most = (fixed(end, metric.decimals, True) for end in (min(ends), max(ends)))
        span = metric.with_points(f"{least} to {most}")
        reach = (
            f": it may be anything from {span}"
            if len(left) == 1
            else f": each may be anything within its own interval, and together these reach from {span}"
        )
    if len(left) == len(compared):
        names = {1: "the one measured variant is", 2: "both measured variants are"}
        which = names.get(len(left), f"all {len(left)} measured variants are")
        return [f"Against the baseline {which} undetermined{reach}.{forecast}"]
    verb = "is" if len(left) == 1 else "are"
    return [f"Of {len(compared)} measured variants {len(left)} {verb} undetermined{reach}.{forecast}"]
