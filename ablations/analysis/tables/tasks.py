"""Over several backbones, data sets or tasks: how variants do in all of them together."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ablations.analysis.results.results import Results
from ablations.analysis.stats.tasks.aggregates import Aggregate, Bootstrapped
from ablations.analysis.stats.tasks.over_tasks import OverTasks
from ablations.analysis.tables.cells import Column, Difference, Number, Table, TableCell, TableRow, Text
from ablations.planning.metric import Metric
from ablations.planning.points import NOT_VARIED

_AXIS = "backbone"


def backbone_frame(results: Results) -> tuple[pd.DataFrame, str] | None:
    """Return the runs of a study by `task` (the backbone), `variant`, `seed` and `value`, with the baseline's name.

    None where the study does not cross backbones with another axis, or nothing is measured on two of them.
    """
    study = results.design.study
    others = [axis for axis in study.axes if axis != _AXIS]
    if (
        results.withheld is not None
        or results.design.kind.varies_alone
        or _AXIS not in study.axes
        or not others
    ):
        return None
    names = {row.label: _name(dict(row.values), others) for row in results.design.rows}
    kept = results.trials[
        (results.trials["status"] == "finished") & (results.trials[f"axis.{others[0]}"] != NOT_VARIED)
    ]
    frame = pd.DataFrame(
        {
            "task": kept[f"axis.{_AXIS}"],
            "variant": kept["row"].map(names),
            "seed": kept["seed"],
            "value": kept["top1_error"],
        }
    )
    base = names[results.design.baseline.label]
    if frame["task"].nunique() < 2 or base not in set(frame["variant"]):
        return None
    return frame, base


def task_frame(results: Results) -> tuple[pd.DataFrame, str] | None:
    """Return the runs of a study of several tasks as `backbone_frame` does; None while nothing is said.

    A row is called as on the first task.
    """
    parts = results.tasks
    if results.withheld is not None or len(parts) < 2:
        return None
    first = {replace(row, task="").identity: row for part in parts[:1] for row in part.design.rows}
    names, tasks = dict[str, str](), dict[str, str]()
    for part in parts:
        for row in part.design.rows:
            known = first.get(replace(row, task="").identity, row)
            names[row.label], tasks[row.label] = known.label.removesuffix(f" on {known.task}"), part.task
    kept = results.trials[results.trials["status"] == "finished"]
    value = kept[results.design.study.metric.column]
    frame = pd.DataFrame(
        {
            "task": kept["row"].map(tasks),
            "variant": kept["row"].map(names),
            "seed": kept["seed"],
            "value": value,
        }
    )
    base = names.get(results.design.baseline.label, "")
    return (frame, base) if frame["task"].nunique() > 1 and base in set(frame["variant"]) else None


def aggregate_table(
    aggregates: tuple[Aggregate, ...],
    baseline: str,
    *,
    tasks: str = "backbones",
    metric: Metric,
) -> Table:
    """Return the table of interquartile means and probabilities of improvement.

    Args:
        aggregates: of `stats.tasks.aggregates.aggregate`.
        baseline: the row that the others are compared with.
        tasks: what was aggregated over, in the plural.
        metric: what was measured.
    """
    columns = (
        Column("variant", "variant", "left"),
        Column("tasks", f"{tasks} (shared)", gives_way=1),
        Column("iqm", f"interquartile mean, {metric.head}", gives_way=2),
        Column("difference", "of differences", gives_way=4),
        Column("improvement", "P(improvement)", gives_way=3),
    )
    rows = tuple(
        TableRow(
            (
                Text(a.variant),
                Text(f"{a.tasks}" if a.variant == baseline else f"{a.tasks} ({a.compared})"),
                _shown(a.level, metric.decimals, signed=False),
                _shown(a.difference, metric.decimals, signed=True),
                _shown(a.improvement, 2, signed=False),
            ),
            "baseline" if a.variant == baseline else "variant",
        )
        for a in aggregates
    )
    note = (
        f"Interquartile mean: the mean of the middle half of all runs, over {tasks} and seeds. Of differences: the "
        "same of the paired differences to the baseline. P(improvement): probability that a run of the variant is "
        f"better than a run of the baseline, mean over {tasks}. In brackets: 95 % percentile intervals of a bootstrap "
        f"stratified by {tasks[:-1]} (2,000 resamples, seed 0). They hold for these {tasks} alone and are "
        "somewhat too narrow below ten seeds, so no verdict rests on them."
    )
    few = any(a.level.lo is None for a in aggregates)
    notes = (note, "Below 3 seeds in one of them there is no interval.") if few else (note,)
    return Table("aggregates", f"Over all {tasks}", columns, rows, notes)


def over_tasks_table(found: tuple[OverTasks, ...], *, tasks: str = "backbones", metric: Metric) -> Table:
    """Return on how many tasks each variant is shown to be better or worse, and how its difference varies.

    Args:
        found: of `stats.tasks.over_tasks.over_tasks`.
        tasks: what they are, in the plural.
        metric: what was measured.
    """
    unit = f", {metric.points}" if metric.points else ""
    columns = (
        Column("variant", "variant", "left"),
        Column("better_on", f"better on at least, {tasks}"),
        Column("worse_on", f"worse on at least, {tasks}"),
        Column("difference", f"difference over new {tasks} and seeds{unit}"),
        Column("between_tasks", f"sd between {tasks}"),
        Column("between_seeds", "sd between seeds"),
        Column("rest", "sd of the rest"),
    )
    rows = []
    for one in found:
        s, decimals = one.spread, metric.decimals
        cells: tuple[TableCell, ...] = (
            Text(one.variant),
            Text(f"{one.better_on} of {one.tasks}"),
            Text(f"{one.worse_on} of {one.tasks}"),
            Text(None) if s is None else Difference(s.mean, s.lo, s.hi, decimals=decimals),
            *(
                Number(None if s is None else getattr(s, name), decimals)
                for name in ("between_tasks", "between_seeds", "rest")
            ),
        )
        rows.append(TableRow(cells))
    note = (
        f"“Better on at least u of m {tasks}” is a partial conjunction (Benjamini and Heller 2008): one-sided paired "
        "t-tests, in Holm's order; the level is 5 % over all rows and both directions. It does not say on which. The "
        f"difference with its 95 % interval generalises to {tasks} like these and to new seeds: both are crossed, and "
        f"few {tasks} make it wide. The standard deviations say where a difference varies."
    )
    return Table("over-tasks", f"On how many {tasks}", columns, tuple(rows), (note,))


def _shown(figure: Bootstrapped | None, decimals: int, *, signed: bool) -> TableCell:
    return (
        Text(None)
        if figure is None
        else Difference(figure.value, figure.lo, figure.hi, signed=signed, decimals=decimals)
    )


def _name(values: dict[str, str], others: list[str]) -> str:
    return ", ".join(f"{axis} {values[axis]}" for axis in others)
