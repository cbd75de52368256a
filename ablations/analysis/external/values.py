"""Which metric is compared, and which of a run's values of it counts: the last, the best, or that at a step."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.runs import Points, Recorded, RecordedRun, listed
from ablations.analysis.external.variants import absent
from senet_core.errors import UserError

_KNOWN = 30


def metric_name(recorded: Recorded, asked: Asked, used: Collection[str]) -> str:
    """Return the metric that is compared: the one asked for, the source's own, or the only one.

    Args:
        recorded: the runs.
        asked: whose `metric` counts.
        used: settings that are variant or seed; where a source cannot tell them from metrics, they are none.

    Raises:
        UserError: no run has it, or there are none or several to choose from.
    """
    known = [name for name in recorded.metric_names() if name not in used]
    wanted = asked.metric or recorded.metric
    if wanted is not None:
        if not known:
            raise UserError(f"{recorded.where} has no metric, in any {recorded.kind}")
        if wanted not in known:
            inside = [name for name in known if name.endswith((f"/{wanted}", f".{wanted}"))]
            if inside:
                raise UserError(
                    f"{recorded.where}: no metric is called {wanted!r}; `metric=NAME` takes {listed(inside)}"
                )
            raise absent(recorded, "metric", wanted, known[:_KNOWN], "metric")
        return wanted
    if len(known) == 1:
        return known[0]
    if not known:
        raise UserError(f"{recorded.where} has no metric, in any {recorded.kind}")
    raise UserError(
        f"{recorded.where} has several metrics; `metric=NAME` says which is compared: {listed(known, _KNOWN)}"
    )


def refuse_at(recorded: Recorded, asked: Asked, metric: str) -> None:
    """Refuse a best without a goal, values by step of a source that has none, and a step that no run has."""
    if asked.at == "last":
        return
    if not recorded.has_steps:
        raise UserError(
            f"{recorded.where} keeps one value for each {recorded.kind}: `at={asked.at}` needs values by step"
        )
    if asked.at == "best":
        if (asked.goal or recorded.goal) is None:
            raise UserError(
                f"`at=best` needs `goal=GOAL`, minimise or maximise: which values of {metric!r} are better?"
            )
        return
    steps = sorted(
        {step for run in recorded.runs for step, _ in run.metrics.get(metric, ()) if step is not None}
    )
    if asked.step not in steps:
        wanted = asked.step or 0
        near = min(steps, key=lambda step: abs(step - wanted)) if steps else None
        hint = (
            ""
            if near is None
            else f"; there are {len(steps)}, from {steps[0]} to {steps[-1]}, and {near} is the nearest"
        )
        raise UserError(f"{recorded.where}: no {recorded.kind} has {metric!r} at step {asked.at}{hint}")


def value_of(points: Points, asked: Asked, *, higher: bool) -> float:
    """Return the value that counts; NaN where there is none.

    A run whose last value is not finite has diverged, and what it once had does not count.
    """
    if not points:
        return math.nan
    if asked.step is not None:
        return next((value for step, value in reversed(points) if step == asked.step), math.nan)
    last = points[-1][1]
    if asked.at == "last" or not math.isfinite(last):
        return last
    finite = [value for _, value in points if math.isfinite(value)]
    return max(finite) if higher else min(finite)


def notes_of_values(runs: Sequence[RecordedRun], asked: Asked, metric: str) -> tuple[str, ...]:
    """Return what a reader must know of the values that count."""
    if asked.at == "best":
        return (
            f"Each run counts with the best of its values of {metric}: such a value is chosen by what it is judged by,"
            " and flatters runs that vary more or were logged more often.",
        )
    if asked.step is not None:
        return (f"Each run counts with its value of {metric} at step {asked.step}.",)
    ends = {run.metrics[metric][-1][0] for run in runs if run.metrics.get(metric) and not run.unfinished}
    known = sorted(step for step in ends if step is not None)
    if len(known) < 2:
        return ()
    return (
        f"Runs end at different steps, {known[0]} to {known[-1]}: each counts with its last value of {metric}.",
    )
