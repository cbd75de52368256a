"""Results of a frame from anywhere: one family of comparisons for each task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablations.analysis.results.account import account_words
from ablations.analysis.results.comparison_frame import families_frame
from ablations.analysis.results.families import Sample, SampleFamily, family_of
from ablations.analysis.stats.compare import compare_pairs
from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.equivalence import check_margin
from ablations.analysis.stats.family import TaskFrame, compare_tasks
from ablations.analysis.stats.seed_table import by_seed, check_columns
from ablations.analysis.stats.shape import looks_like_fractions
from ablations.analysis.stats.tasks.aggregates import Aggregate, aggregate
from ablations.analysis.stats.tasks.over_tasks import OverTasks, over_tasks
from ablations.planning.metric import Metric
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ablations.analysis.tables.latex.cells import Spread


@dataclass(frozen=True)
class FrameResults:
    """What a frame of runs shows; `Results.from_frame` makes it.

    Attributes:
        title: of its report.
        notes: what a reader must know of the frame, in sentences.
        baseline: the variant that the others are compared with.
        metric: what is compared, over all tasks.
        families: one for each task that has something to compare, in the order of the frame; their `axis` is the
            task, None where the frame has no column `task`.
        pairs: all pairs of a family, by its `axis`; empty where they were not asked for.
        aggregates: over all tasks; empty for one task.
        over_tasks: on how many tasks a difference is shown, and how it varies; empty for one task.
        account: the rate of wrong verdicts that all comparisons with the baseline together hold to, in a sentence.
    """

    title: str
    notes: tuple[str, ...]
    baseline: str
    metric: Metric
    families: tuple[SampleFamily, ...]
    pairs: Mapping[str | None, tuple[Comparison, ...]]
    aggregates: tuple[Aggregate, ...]
    account: str = ""
    over_tasks: tuple[OverTasks, ...] = ()

    def compare(self) -> pd.DataFrame:
        """Return every comparison with the baseline: `task`, then the columns of `comparison_frame`."""
        return families_frame(self.families, "task")

    def to_dict(self) -> dict[str, Any]:
        """Return what the report says in numbers, for programs: what `ablate analyse` prints as JSON."""
        from ablations.analysis.programs.contents import document_of

        return document_of(self).to_dict()

    def plot(self, task: str | None = None) -> Figure:
        """Return the figure of a task's variants: values by seed, and differences to the baseline.

        Args:
            task: may be None where there is one.

        Raises:
            UserError: there is no such task, or nothing to compare in it.
        """
        from ablations.analysis.plots.axis import draw_axis
        from ablations.analysis.plots.data import axis_info

        return draw_axis(axis_info(family_of(self.families, task, "task")))

    def to_latex(
        self,
        task: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        spread: Spread = "interval",
        caption: str | None = None,
        label: str | None = None,
    ) -> str:
        r"""Return a task's table as LaTeX to `\input` into a paper; it needs the package booktabs.

        Args:
            task: may be None where there is one.
            columns: to show, by name, in this order; None for the few that papers have.
            spread: what stands behind ±: "interval", the half-width of the 95 % interval, or "sd".
            caption: plain text; None for one that says n, the interval and the correction.
            label: None for "tab:comparisons", or "tab:task-NAME".

        Raises:
            UserError: there is no such task, column or spread, or the label has other characters than LaTeX takes.
        """
        from ablations.analysis.tables.frame import family_table
        from ablations.analysis.tables.latex.table import PaperStyle, latex_table

        chosen = None if columns is None else tuple(columns)
        style = PaperStyle(chosen, spread=spread, caption=caption, label=label)
        return latex_table(family_table(family_of(self.families, task, "task")), style)

    def _repr_html_(self) -> str:
        """Return the first screen of the report, each task's table, and that over all of them, for notebooks."""
        from ablations.analysis.plots.notebook import first_screen
        from ablations.analysis.tables.frame import family_table, further_tables
        from ablations.analysis.tables.render import to_html

        tables = (*map(family_table, self.families), *further_tables(self))
        shown = (f"<h4>{escape(table.title)}</h4>\n{to_html(table)}" for table in tables)
        return "\n".join((first_screen(self), *shown))


def frame_results(
    frame: pd.DataFrame,
    *,
    baseline: str,
    margin: float | None = None,
    lower_is_better: bool = True,
    value: str = "value",
    pairs: bool = False,
) -> FrameResults:
    """Return the results of runs from anywhere, with their table, plot and report.

        >>> import ablations as ab, pandas as pd
        >>> frame = pd.DataFrame({"variant": ["SE"] * 3 + ["ECA"] * 3, "seed": [0, 1, 2] * 2,
        ...     "value": [91.2, 91.0, 91.4, 90.1, 89.8, 90.2]})
        >>> results = ab.Results.from_frame(frame, baseline="SE", lower_is_better=False, value="accuracy")
        >>> results.compare()["verdict"].tolist()
        ['worse']

    A notebook shows `results` as its tables; `results.plot()` is a figure, and `ab.write_report(results, folder)`
    writes a report.

    Args:
        frame: columns `variant`, `seed`, `value`, one row for each run, and `task` where there are several data
            sets or backbones; a value that is NaN is missing.
        baseline: the variant that the others are compared with, by seed.
        margin: smallest effect of interest, above 0, in the units of the values; None for no test of equivalence.
        lower_is_better: True for errors and losses.
        value: what the values are called.
        pairs: whether all pairs of variants are compared too, as a family of their own.

    Raises:
        UserError: a column is missing, a value is no number, a seed is doubled, the baseline is not among the
            variants or the only one, or none shares a seed with it.
    """
    frame = _checked(frame, baseline)
    if margin is not None:
        check_margin(margin)
    _refuse_fractions(frame["value"], margin)
    tasks: dict[str | None, pd.DataFrame] = {None: frame}
    if "task" in frame:
        tasks = {str(task): rows for task, rows in frame.groupby("task", sort=False, dropna=False)}
    wide = {task: by_seed(rows, task=task) for task, rows in tasks.items()}
    comparable = [task for task in tasks if baseline in wide[task] and len(wide[task].columns) > 1]
    compared = compare_tasks(
        [
            TaskFrame(tasks[t], [(str(name), baseline) for name in wide[t] if name != baseline])
            for t in comparable
        ],
        Rules(margin=margin, lower_is_better=lower_is_better),
    )
    families, all_pairs = [], {}
    for task, found in zip(comparable, compared, strict=True):
        metric = _metric(value, found, lower_is_better)
        by_label = {c.variant: c for c in found}
        samples = _samples(tasks[task], wide[task])
        families.append(SampleFamily(task, samples, baseline, by_label, margin, metric))
        if pairs:
            all_pairs[task] = compare_pairs(tasks[task], margin=margin, lower_is_better=lower_is_better)
    every = tuple(c for task in compared for c in task)
    if not any(c.difference.n for c in every):
        raise UserError(
            f"no variant shares a measured seed with {baseline!r}; comparisons are made in pairs, seed by seed"
        )
    together = aggregate(frame, baseline, lower_is_better=lower_is_better) if len(tasks) > 1 else ()
    counts = over_tasks(frame, baseline, lower_is_better=lower_is_better) if len(tasks) > 1 else ()
    title, shown = f"{value} by variant", _metric(value, every, lower_is_better)
    return FrameResults(
        title,
        _notes(frame),
        baseline,
        shown,
        tuple(families),
        all_pairs,
        together,
        account_words(every),
        counts,
    )


def _refuse_fractions(values: pd.Series[float], margin: float | None) -> None:
    """Refuse a margin that is beyond all differences because values are shares of 1."""
    if margin is not None and looks_like_fractions(values, margin):
        lo, hi = float(values.min()), float(values.max())
        raise UserError(
            f"values from {lo:g} to {hi:g} look like fractions, and the margin of {margin:g} is larger than their"
            " spread: everything would be equivalent; give a margin in the units of the values, or values in per cent"
        )


def _checked(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Return a frame with names as text and values as numbers."""
    check_columns(frame, "variant", "seed", "value")
    try:
        frame = frame.assign(variant=frame["variant"].map(str), value=frame["value"].astype(float))
    except (TypeError, ValueError) as error:
        raise UserError(f"the column 'value' must hold numbers: {error}") from error
    names = list(frame["variant"].unique())
    if baseline not in names:
        raise unknown("variant", baseline, names)
    if len(names) < 2:
        raise UserError(f"there is one variant, {names[0]!r}; a comparison needs two or more")
    return frame


def _samples(rows: pd.DataFrame, wide: pd.DataFrame) -> tuple[Sample, ...]:
    """Return the values of each variant; planned are the seeds that anyone has a value for, and those of its own runs.

    So a seed that only a run without a value had counts against that run's variant alone; and where a variant has no
    seed in common with any other, those of the others were not planned for it.
    """
    measured = set(wide.dropna(how="all").index)
    own = {str(name): set(seeds) for name, seeds in rows.groupby("variant")["seed"]}

    def planned(name: str) -> int:
        others = set().union(*(seeds for other, seeds in own.items() if other != name))
        return len(own[name] | measured) if own[name] & others else len(own[name])

    return tuple(
        Sample(str(name), tuple(wide[name][np.isfinite(wide[name])]), planned(str(name))) for name in wide
    )


def _metric(value: str, comparisons: Iterable[Comparison], lower_is_better: bool) -> Metric:
    """Return how values are shown: two digits of the typical spread of differences, and at least two decimals."""
    spreads = [c.difference.sd for c in comparisons if c.difference.sd]
    decimals = min(8, max(2, 1 - math.floor(math.log10(float(np.median(spreads)))))) if spreads else 2
    return Metric("value", value, "", "", decimals, lower_is_better)


def _notes(frame: pd.DataFrame) -> tuple[str, ...]:
    missing = int(frame["value"].isna().sum())
    have = "runs have" if missing > 1 else "run has"
    return (f"{missing} {have} no value and count as missing.",) if missing else ()
