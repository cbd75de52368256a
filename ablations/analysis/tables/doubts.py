"""What of the runs speaks against reading their means: failures, collapses, networks that learned nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.analysis.results.results import Results
from ablations.analysis.tables.page import page_of
from senet_core.words import counted


def doubts_of_runs(results: Results) -> Iterator[str]:
    """Return sentences for the head of a report; none where all runs are ordinary."""
    yield from _failures(results)
    yield from _collapses(results)
    yield from page_of(results.design.study).doubts(results)


def _failures(results: Results) -> Iterator[str]:
    failed = results.trials[results.trials["status"] == "failed"]
    if len(failed):
        named = ", ".join(
            f"{row} ({count})" for row, count in failed.groupby("row", sort=False).size().items()
        )
        yield (
            f"{counted(len(failed), 'run')} failed: {named}. Means are over the runs that ended; no row is called "
            "better for want of its failed runs."
        )


def _collapses(results: Results) -> Iterator[str]:
    metric = results.design.study.metric
    places, unit = metric.decimals, f" {metric.points}".rstrip()
    for c in results.comparisons.values():
        shape = c.shape
        if shape is None or not shape.collapses:
            continue
        far = f"{shape.collapses} of {counted(shape.n, 'run')} lie far off"
        yield (
            f"{c.variant} collapses now and then: {far} (worst difference {shape.worst:+.{places}f}{unit}, median "
            f"{shape.median:+.{places}f}). Its mean is one of two kinds of run; how often it "
            "collapses, more seeds tell."
        )
