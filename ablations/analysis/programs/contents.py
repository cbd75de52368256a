"""From results to the document for programs: the same path for a study and for a file of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ablations.analysis.programs.document import (
    SCHEMA,
    Document,
    DocumentAccount,
    DocumentComparison,
    DocumentFailures,
    DocumentMetric,
    DocumentPair,
    DocumentProgress,
    DocumentRow,
    DocumentShape,
)
from ablations.analysis.results.account import ALPHA, account_sentence
from ablations.analysis.results.families import SampleFamily, axis_pairs
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import standing_of
from ablations.analysis.stats.comparison import Comparison, RestsOn
from ablations.analysis.tables import provenance
from ablations.planning.metric import Metric
from ablations.planning.typed_study import plan_digest

CONFIDENCE = 0.95
_OVER: dict[RestsOn, str] = {
    "seeds": "new seeds, on these training and test data",
    "images": "new seeds and new test images, with these training images",
}
"""As the account's sentence says it."""


def document_of(results: Results | FrameResults, *, pairs: Sequence[str] = ()) -> Document:
    """Return what results show, for programs.

    Args:
        results: of a study, or of a frame from anywhere.
        pairs: axes of a study of which all pairs are compared; a frame's are given where it has them.

    Raises:
        UserError: `pairs` names what is not an axis that the study varies alone.
    """
    return _of_frame(results) if isinstance(results, FrameResults) else _of_study(results, pairs)


def _of_study(results: Results, pairs: Sequence[str]) -> Document:
    study, families = results.design.study, results.families
    commits = {str(record.environment.get("commit") or "") for record in results.finished.values()}
    return Document(
        schema=SCHEMA,
        kind="report",
        title=study.title,
        study=study.name,
        question=study.question,
        plan=plan_digest(results.asked.study),
        commits=sorted(commits - {""}),
        progress=DocumentProgress(
            planned=results.asked_trials,
            finished=len(results.finished),
            failed=len(results.failed),
            unfinished=results.unfinished,
            imported=sum(line.imported is not None for line in results.finished.values()),
        ),
        account=_account(results.comparisons.values(), results.withheld, account_sentence(results)),
        baseline=results.design.baseline.label,
        metric=_metric(families[0].metric),
        margin=study.margin,
        confidence=CONFIDENCE,
        rows=_study_rows(results),
        pairs=[_pair(axis, found) for axis in pairs for found in axis_pairs(results, axis)],
        warnings=list(provenance.warnings(results)),
    )


def _of_frame(results: FrameResults) -> Document:
    families = results.families
    every = [comparison for family in families for comparison in family.comparisons.values()]
    return Document(
        schema=SCHEMA,
        kind="analysis",
        title=results.title,
        study=None,
        question=None,
        plan=None,
        commits=None,
        progress=None,
        account=_account(every, None, results.account),
        baseline=results.baseline,
        metric=_metric(results.metric),
        margin=families[0].margin,
        confidence=CONFIDENCE,
        rows=[row for family in families for row in _rows(family, task=family.axis)],
        pairs=[_pair(task, found) for task, several in results.pairs.items() for found in several],
        warnings=list(results.notes),
    )


def _account(comparisons: Iterable[Comparison], withheld: str | None, words: str) -> DocumentAccount | None:
    found = next(iter(comparisons), None)
    if found is None:
        return None
    return DocumentAccount(
        rate=ALPHA,
        correction=None if found.withheld else found.correction,
        members=found.members,
        withheld=withheld,
        rests_on=None if found.withheld else found.rests_on,
        generalises_over=_OVER[found.rests_on],
        words=words,
    )


def _metric(metric: Metric) -> DocumentMetric:
    return DocumentMetric(
        key=metric.key,
        name=metric.name,
        unit=metric.unit,
        difference_unit=metric.points,
        better="lower" if metric.lower_is_better else "higher",
    )


def _study_rows(results: Results) -> list[DocumentRow]:
    """Return each row once, with the axes in whose tables it stands."""
    found: dict[str, DocumentRow] = {}
    standing = standing_of(results) or {}
    for family in results.families:
        tables = [] if family.axis is None else [family.axis]
        for row in _rows(family, task=family.task or None):
            before = found.get(row.label, row)
            more = {"tables": before.tables + tables, "standing": standing.get(row.label)}
            found[row.label] = before.model_copy(update=more)
    return list(found.values())


def _rows(family: SampleFamily, *, task: str | None = None) -> list[DocumentRow]:
    rows = []
    for outcome in family.outcomes:
        level, comparison = outcome.level, family.comparisons.get(outcome.label)
        rows.append(
            DocumentRow(
                label=outcome.label,
                task=task,
                kind=family.kind(outcome),
                standing=None,
                tables=[],
                n=level.n,
                planned=outcome.planned,
                mean=level.mean,
                sd=level.sd,
                lo=level.lo,
                hi=level.hi,
                comparison=None if comparison is None else _comparison(comparison),
            )
        )
    return rows


def _pair(table: str | None, comparison: Comparison) -> DocumentPair:
    return DocumentPair(table=table, variant=comparison.variant, comparison=_comparison(comparison))


def _comparison(comparison: Comparison) -> DocumentComparison:
    c, d, withheld = comparison, comparison.difference, comparison.withheld
    on_images = c.rests_on == "images"
    seeds_lo, seeds_hi = c.over_seeds if on_images else (d.lo, d.hi)
    images_lo, images_hi = (None, None) if c.crossed is None else (c.crossed.lo, c.crossed.hi)
    return DocumentComparison(
        against=c.against,
        n=d.n,
        difference=d.mean,
        sd=None if withheld else d.sd,
        lo=d.lo,
        hi=d.hi,
        seeds_lo=seeds_lo,
        seeds_hi=seeds_hi,
        images_lo=images_lo,
        images_hi=images_hi,
        p=c.p,
        p_corrected=c.p_corrected,
        p_tost=c.p_tost,
        p_tost_corrected=c.p_tost_corrected,
        verdict=None if withheld else c.reading.verdict,
        words=c.reading.words,
        more_seeds=c.more_seeds,
        beyond_test_set=c.beyond_test_set,
        correction=None if withheld else c.correction,
        rests_on=None if withheld else c.rests_on,
        paired=c.paired,
        failures=_failures(c),
        shape=_shape(c),
    )


def _failures(comparison: Comparison) -> DocumentFailures | None:
    ranks = comparison.ranks
    if ranks is None:
        return None
    return DocumentFailures(variant=ranks.lost, against=ranks.won, p=ranks.p, favours=ranks.favours)


def _shape(comparison: Comparison) -> DocumentShape | None:
    shape = comparison.shape
    if shape is None:
        return None
    return DocumentShape(
        median=shape.median,
        worst=shape.worst,
        collapses=shape.collapses,
        leaps=shape.leaps,
        skewed=shape.skewed,
        skew_p=shape.skew_p,
    )
