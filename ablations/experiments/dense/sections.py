"""The section of a report on what other test images would say: intervals over new seeds and new images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.report.paper_sections import beside_paper
from ablations.analysis.report.parts import Extra
from ablations.analysis.results.families import Family, Outcome
from ablations.analysis.results.results import Results
from ablations.analysis.stats.outcomes.resampled import ResampledDifference, resampled_difference
from ablations.analysis.tables.cells import Column, Difference, Number, Table, TableCell, TableRow, Text
from ablations.planning.metric import RESAMPLED, Metric
from ablations.running.record.trial_record import TrialRecord

TITLE = "Other test images"
_NOTE = (
    "Verdicts and the intervals beside them hold for new seeds on these test images. Here images are drawn anew, too:"
    " {metric} is no mean over images, so its spread is that over {draws} bootstrap samples of the {images:,} test"
    " images, the same for every run. Intervals of 95 %, not corrected for the number of rows."
)


def sections_of(results: Results) -> Iterator[Extra]:
    """Yield the section, once there is something to show, and of detectors the paper's table."""
    if results.design.study.experiment.name == "detection":
        yield beside_paper(7)
    if results.withheld is not None:
        return
    tables = tuple(table for family in results.families if (table := _table(family, results)) is not None)
    if tables:
        yield Extra(TITLE, tables)


def differences_of(
    outcome: Outcome, baseline: Outcome, column: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the differences of two rows on the test images, (seeds,), and on each resample, (seeds, resamples).

    None where the two have no seed in common with resamples.

    Args:
        outcome: of a row.
        baseline: that it is compared with.
        column: the metric's name in results.
    """
    own, other = ({line.trial["seed"]: line for line in row.records} for row in (outcome, baseline))
    pairs = [(own[seed], other[seed]) for seed in own if seed in other]
    draws = [(_draws(one), _draws(two)) for one, two in pairs]
    if not draws or any(len(one) < 2 or one.shape != two.shape for one, two in draws):
        return None
    values = [_value(one, column) - _value(two, column) for one, two in pairs]
    return np.asarray(values), np.asarray([one - two for one, two in draws])


def _table(family: Family, results: Results) -> Table | None:
    metric, baseline = family.metric, family.outcome(family.baseline)
    images = next((n for line in baseline.records if (n := _images(line))), 0)
    rows = []
    draws = 0
    for outcome in family.outcomes:
        found = None if outcome is baseline else differences_of(outcome, baseline, metric.column)
        if found is None or images < 2:
            continue
        draws = found[1].shape[1]
        rows.append(_row(outcome.label, resampled_difference(*found, images=images), metric))
    if not rows:
        return None
    columns = (
        Column("variant", "variant", "left"),
        Column("seeds", "paired seeds"),
        Column("difference", f"difference in {metric.name}, over new seeds and images"),
        Column("image_sd", "sd over images"),
    )
    note = _NOTE.format(metric=metric.name, draws=draws, images=images)
    title = f"{TITLE}: {family.name}" if family.name else TITLE
    return Table(f"images_{family.name or 'all'}", title, columns, tuple(rows), (note,))


def _row(label: str, found: ResampledDifference, metric: Metric) -> TableRow:
    cells: tuple[TableCell, ...] = (
        Text(label),
        Number(found.seeds, 0),
        Difference(found.mean, found.lo, found.hi, decimals=metric.decimals),
        Number(found.image_sd, metric.decimals),
    )
    return TableRow(cells)


def _draws(line: TrialRecord) -> NDArray[np.float64]:
    values = {} if line.result is None else line.result.values
    return np.asarray([values[name] for name in sorted(values) if name.startswith(RESAMPLED)], np.float64)


def _value(line: TrialRecord, column: str) -> float:
    assert line.result is not None
    return line.result.value(column) or 0.0


def _images(line: TrialRecord) -> int:
    return 0 if line.result is None else int(line.result.value("test_images") or 0)
