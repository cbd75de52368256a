"""Every row that is compared with a baseline, once, the best first: what the first picture of a report shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ablations.analysis.results.families import SampleFamily
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.page import page_of
from ablations.planning.metric import Metric
from ablations.planning.row import RowKind


@dataclass(frozen=True)
class GlanceRow:
    """One row.

    Attributes:
        label: its name, with its task where there are several.
        kind: whether it is the baseline, the plain network or a variant.
        verdict: "" of the baseline, and while verdicts are withheld.
        difference: to the baseline.
        published: the difference that a paper prints for it; None where there is none.
        axis: that it varies alone; "" where rows vary several, and of frames.
        choice: on that axis, with its name: "reduction 16"; "" where there is none.
        p: of a difference, corrected; None where there is none.
    """

    label: str
    kind: RowKind
    verdict: str
    difference: Interval
    published: float | None = None
    axis: str = ""
    choice: str = ""
    p: float | None = None


@dataclass(frozen=True)
class GlanceRows:
    """All rows of a study or frame that have a difference, the best first.

    Attributes:
        rows: with the baseline among them, at 0, unless there is one for each of several tasks.
        margin: smallest effect of interest; None if none was declared.
        metric: what is compared.
        interval: what the intervals of the differences are, in words; "" where none is shown.
        unmeasured: labels of the rows that have nothing to compare yet.
    """

    rows: tuple[GlanceRow, ...]
    margin: float | None
    metric: Metric
    interval: str = ""
    unmeasured: tuple[str, ...] = field(default=())

    @property
    def several_axes(self) -> bool:
        """Whether the rows vary more axes than one, each alone: then a row's axis says what was chosen."""
        return len({row.axis for row in self.rows if row.axis}) > 1

    @property
    def compared(self) -> tuple[GlanceRow, ...]:
        """The rows beside the baseline."""
        return tuple(row for row in self.rows if row.kind != "baseline")


def glance_rows(results: Results | FrameResults) -> GlanceRows:
    """Return all rows of a study, or of a frame from anywhere."""
    if isinstance(results, FrameResults):
        several = len(results.families) > 1
        found = [_row(family, o.label, task=several) for family in results.families for o in family.outcomes]
        return _sorted(results.families, found, [row for row in found if isinstance(row, str)])
    pages = {task: page_of(results.design.study.of_task(task)) for task in {f.task for f in results.families}}
    published: dict[str, float] = {}
    for family in results.families:
        for outcome in family.outcomes:
            value = pages[family.task].published(family, outcome)
            if value is not None:
                published.setdefault(outcome.label, value)
    once: dict[str, GlanceRow | str] = {}
    for family in results.families:
        for outcome in family.outcomes:
            row = _row(family, outcome.label, published=published.get(outcome.label))
            axis = outcome.row.axis or ""
            choice = f"{axis.removeprefix('recipe.')} {dict(outcome.row.values).get(axis, '')}".strip()
            once.setdefault(
                outcome.label,
                replace(row, axis=axis, choice=choice) if isinstance(row, GlanceRow) else row,
            )
    return _sorted(results.families, once.values(), [row for row in once.values() if isinstance(row, str)])


def reach_of(shown: GlanceRows) -> tuple[float, float]:
    """Return the ends of the picture: all means are in it, and intervals as far as they do not make the rest small."""
    points = [0.0, *(row.difference.mean for row in shown.rows)]
    points += [row.published for row in shown.rows if row.published is not None]
    points += [] if shown.margin is None else [-shown.margin, shown.margin]
    span = max(points) - min(points) or 1.0
    ends = [end for row in shown.rows for end in row.difference[1:] if end is not None]
    low = max(min([*points, *ends]), min(points) - span)
    high = min(max([*points, *ends]), max(points) + span)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _row(
    family: SampleFamily, label: str, *, task: bool = False, published: float | None = None
) -> GlanceRow | str:
    """Return a row, or its name alone where it has no difference."""
    name = f"{label} on {family.axis}" if task else label
    if label == family.baseline:
        measured = any(o.label == label and o.level.mean is not None for o in family.outcomes)
        return GlanceRow(name, "baseline", "", Interval(0.0, None, None)) if measured else name
    comparison = family.comparisons.get(label)
    d = None if comparison is None else comparison.difference
    if comparison is None or d is None or d.mean is None:
        return name
    kind: RowKind = "plain" if label == family.plain else "variant"
    verdict = "" if comparison.withheld else comparison.reading.verdict
    return GlanceRow(name, kind, verdict, Interval(d.mean, d.lo, d.hi), published, p=comparison.p_corrected)


def _sorted(
    families: Sequence[SampleFamily], found: Iterable[GlanceRow | str], unmeasured: Sequence[str]
) -> GlanceRows:
    metric = families[0].metric
    sign = 1 if metric.lower_is_better else -1
    rows = [row for row in found if isinstance(row, GlanceRow)]
    if sum(row.kind == "baseline" for row in rows) > 1:
        rows = [row for row in rows if row.kind != "baseline"]
    rows.sort(key=lambda row: sign * row.difference.mean)
    compared = [c for family in families for c in family.comparisons.values()]
    shown = any(row.difference.lo is not None for row in rows)
    return GlanceRows(
        tuple(rows),
        families[0].margin,
        metric,
        interval_words(compared).difference if shown else "",
        tuple(unmeasured),
    )
