"""A plan's forecast in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ablations.running.machine.durations import duration_text
from senet_core.words import counted

if TYPE_CHECKING:
    from ablations.api.planning import DetectionCost, StudyPlan
    from ablations.planning.metric import Metric
    from ablations.running.record.forecasts import Sensitivity, SweepCost


def plan_words(plan: StudyPlan) -> Iterator[tuple[str, str]]:
    """Return the lines of a plan below its table: a word, and a sentence."""
    forecast = plan.forecast
    if forecast.rows:
        yield "a trial", _trial_words(plan)
    if forecast.left is not None and forecast.whole is not None and forecast.whole.trials:
        timed = len(forecast.rows) == len(plan.design.rows)
        yield "the study", _cost_words(forecast.left, forecast.whole, forecast.workers, all_timed=timed)
    for study, trials in plan.elsewhere.items():
        verb = "is" if trials == 1 else "are"
        yield "", f"{counted(trials, 'trial')} of study {study!r} {verb} among its own, and not trained again"
    if forecast.sensitivity is not None:
        metric = plan.design.study.metric
        yield "noise", _noise_words(forecast.sensitivity, metric)
        yield from _found_words(forecast.sensitivity, metric)
    if plan.detection is not None:
        yield counted(plan.detection.difference, "point"), _detection_words(plan.detection)
    for text in plan.said:
        yield "", text
    for label, problem in plan.untimed.items():
        yield "", f"{label} cannot be timed: {problem}"
    if plan.kept is not None:
        yield "kept in", str(plan.kept)


def _trial_words(plan: StudyPlan) -> str:
    rows = sorted(plan.forecast.rows, key=lambda row: row.seconds + row.rest)
    least, most = rows[0], rows[-1]
    shown = f"{duration_text(least.seconds + least.rest)} ({least.label})"
    if most.label != least.label:
        shown += f" to {duration_text(most.seconds + most.rest)} ({most.label})"
    sources = dict.fromkeys(
        "interpolation" if row.source.startswith("like ") else row.source for row in plan.forecast.rows
    )
    shown += f"; from {' and '.join(sources)}"
    done = plan.calibration
    if done is not None and done.speeds:
        wanted, timed = done.images
        smaller = f"; steps of {timed} images timed for {wanted}" if timed < wanted else ""
        shown += f" ({done.seconds:.0f} s, {plan.forecast.workers} at a time){smaller}"
    return shown


def _cost_words(left: SweepCost, whole: SweepCost, workers: int, *, all_timed: bool) -> str:
    if not left.trials:
        of = "" if all_timed else " of the rows whose time is known"
        return f"nothing to train{of}; from the start {duration_text(whole.wall_seconds)}"
    several = f"{workers} at a time" if workers > 1 else "one at a time"
    shown = f"{counted(left.trials, 'trial')} to train, {several}: {_range(left)}"
    if left.trials < whole.trials:
        shown += f"; all {whole.trials} from the start {duration_text(whole.wall_seconds)}"
    return f"{shown}; {duration_text(whole.busy_seconds)} of computing in all"


def _range(cost: SweepCost) -> str:
    low, mid, high = map(duration_text, (cost.low, cost.wall_seconds, cost.high))
    return mid if low == mid == high else f"{mid} ({low} to {high})"


def _noise_words(s: Sensitivity, metric: Metric) -> str:
    interval = "" if s.sd_lo is None or s.sd_hi is None else f" [{s.sd_lo:.2f}, {s.sd_hi:.2f}]"
    return f"sd of a paired difference over seeds {metric.with_points(f'{s.sd:.2f}{interval}')}; {s.source}"


def _found_words(s: Sensitivity, metric: Metric) -> Iterator[tuple[str, str]]:
    share = f"{100 * s.power:.0f} %"
    ratio = s.detectable / s.sd
    interval = (
        ""
        if s.sd_lo is None or s.sd_hi is None
        else f" [{ratio * s.sd_lo:.2f}, {ratio * s.sd_hi:.2f} with the noise's interval]"
    )
    corrected = (
        f"; after Holm's correction over {s.comparisons} comparisons {s.detectable_corrected:.2f} or less (level"
        f" {100 * s.alpha:.0f} % / {s.comparisons}, as in its first step)"
        if s.comparisons > 1
        else ""
    )
    yield (
        counted(s.seeds, "seed"),
        f"find {metric.with_points(f'{s.detectable:.2f}')} with a probability of {share}{interval}{corrected}",
    )
    equal = f"{100 * s.equivalent:.0f} %"
    equal += f", corrected {100 * s.equivalent_corrected:.0f} %" if s.comparisons > 1 else ""
    yield "", f"call an equal pair equivalent (margin {s.margin:g}) with a probability of {equal}"


def _detection_words(detection: DetectionCost) -> str:
    shown = _seeds_words(detection.seeds, detection.cost)
    if detection.comparisons == 1:
        return shown
    corrected = _seeds_words(detection.seeds_corrected, detection.cost_corrected)
    return (
        f"{shown}; after Holm's correction over {detection.comparisons} comparisons {corrected} at the most"
    )


def _seeds_words(seeds: int | None, cost: SweepCost | None) -> str:
    if seeds is None:
        return "more than 1,000 seeds a row"
    return f"{counted(seeds, 'seed')} a row" + (
        "" if cost is None else f", {duration_text(cost.wall_seconds)} to train"
    )
