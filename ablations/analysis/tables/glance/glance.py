"""The first screen of a report as a plain value, for pages, terminals and notebooks alike."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.analysis.results.account import ALPHA
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.glance.answer import frame_sentences, study_sentences
from ablations.analysis.tables.glance.clauses import listed
from ablations.analysis.tables.glance.rows import GlanceRows, glance_rows
from ablations.analysis.tables.glance.spent import cost_sentence
from ablations.analysis.tables.page import page_of
from senet_core.words import counted


@dataclass(frozen=True, kw_only=True)
class FirstScreen:
    """What a reader sees first, in words.

    Attributes:
        question: that was asked.
        status: that the study is unfinished, or may not be judged yet; "" where neither is so.
        answer: at most three sentences, without markup.
        cost: what it took, in a sentence.
    """

    question: str
    status: str = ""
    answer: tuple[str, ...]
    cost: str


@dataclass(frozen=True, kw_only=True)
class Glance(FirstScreen):
    """What a reader of a comparison sees first.

    Attributes:
        rows: for the picture.
        caption: how to read it.
    """

    rows: GlanceRows
    caption: str


def glance_of(results: Results | FrameResults) -> Glance:
    """Return the first screen of a study's report, or of that of a frame from anywhere."""
    rows = glance_rows(results)
    if isinstance(results, FrameResults):
        question = f"Which variants differ from {results.baseline} in {results.metric.name}?"
        answer, status = frame_sentences(results), ""
    else:
        question, answer, status = results.design.study.question, study_sentences(results), _status(results)
    return Glance(
        question=question,
        status=status,
        answer=answer,
        cost=cost_sentence(results),
        rows=rows,
        caption=_caption(results, rows),
    )


def progress_sentence(results: Results) -> str:
    """Return how far an unfinished study is."""
    failed, planned = len(results.failed), results.asked_trials
    if results.withheld is None and failed and len(results.finished) + failed == planned:
        return f"{len(results.finished)} of {planned} trials have a result; {failed} failed, and are not waited for."
    and_failed = f" ({failed} failed)" if failed else ""
    if results.racing and results.withheld is None:
        return (
            f"The race is not over: {len(results.finished)} of the {planned} trials that it has asked for so far have"
            f" a result{and_failed}. Verdicts that are given stand; others may follow."
        )
    return f"The study is unfinished: {len(results.finished)} of {planned} trials have a result{and_failed}."


def _status(results: Results) -> str:
    said = [progress_sentence(results)] if results.unfinished else []
    if results.withheld is not None:
        said.append(f"Interim: {results.withheld}.")
    return " ".join(said)


def _excludes_zero(interval: Interval) -> bool:
    return interval.lo is not None and interval.hi is not None and (interval.lo > 0 or interval.hi < 0)


def _named(results: Results, rows: GlanceRows) -> str:
    """Return what rows are whose labels do not say it: the baseline of several axes, and the plain network."""
    said = ""
    if rows.several_axes:
        values = [f"{axis} {value}" for axis, value in results.design.baseline.values]
        said += f". The baseline has {', '.join(values)}"
    meaning = page_of(results.design.study).plain_is
    for row in rows.rows:
        if meaning and row.kind == "plain":
            said += f". {row.label[:1].upper()}{row.label[1:]} is {meaning}"
    return said


def _agreeing(rows: GlanceRows) -> str:
    """Return in how many rows shown to differ the paper's difference, where it prints one, has the sign of ours."""
    rated = [row for row in rows.rows if row.published and row.verdict in ("better", "worse")]
    apart = [row.label for row in rated if (row.published or 0.0) * row.difference.mean < 0]
    if not rated:
        return ""
    same, but = len(rated) - len(apart), f", not in {listed(apart)}" if apart else ""
    return f"; it has the sign of ours in {same} of {counted(len(rated), 'row')} shown to differ{but}"


def _caption(results: Results | FrameResults, rows: GlanceRows) -> str:
    """Return how to read the picture of all rows."""
    compared = [c for family in results.families for c in family.comparisons.values()]
    if any(c.withheld for c in compared):
        return (
            "Mean of the paired differences to the baseline so far, the best on top; nothing is tested yet."
        )
    said = "Every row's difference to the baseline, the best on top"
    if rows.interval:
        said += f", with its {interval_words(compared).difference}, taken alone"
    said += ". Colour and shape are the verdict, corrected for all comparisons"
    beside = [
        row.label
        for row in rows.rows
        if row.verdict == "undetermined"
        and _excludes_zero(row.difference)
        and row.p is not None
        and row.p > ALPHA
    ]
    if beside:
        said += f", which leaves {listed(beside)} undetermined though 0 is outside the row's own interval"
    if rows.several_axes:
        said += ". In grey: the choice in which a row differs from the baseline"
    if isinstance(results, Results):
        said += _named(results, rows)
    if any(row.published is not None for row in rows.rows):
        said += ". Cross: the difference that the paper prints, of one run on other data or another network"
        said += _agreeing(rows)
    if rows.unmeasured:
        said += f". Not measured yet: {', '.join(rows.unmeasured)}"
    return f"{said}."
