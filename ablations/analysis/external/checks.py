"""What is looked at in runs of every source before they are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ablations.analysis.external.runs import MOST_SHOWN, Recorded, RecordedRun, listed
from senet_core.errors import UserError

_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class RunRow:
    """A run as a row of the frame: its value is NaN where it has no result, infinite where it has diverged so."""

    run: RecordedRun
    task: str
    variant: str
    seed: str
    value: float


def without_repeated(
    recorded: Recorded, rows: Sequence[RunRow], settings: Sequence[str]
) -> tuple[list[RunRow], tuple[str, ...]]:
    """Return rows without failed runs that were repeated, and the note of them.

    Args:
        recorded: the runs.
        rows: of them.
        settings: that make variant and seed.

    Raises:
        UserError: a variant has a seed twice.
    """
    kept: dict[tuple[str, str, str], RunRow] = {}
    dropped: list[str] = []
    for row in rows:
        key = (row.task, row.variant, row.seed)
        earlier = kept.setdefault(key, row)
        if earlier is row:
            continue
        if not earlier.run.unfinished and not row.run.unfinished:
            raise _twice(recorded, earlier, row, settings)
        kept[key], other = (row, earlier) if earlier.run.unfinished else (earlier, row)
        dropped.append(other.run.name)
    if not dropped:
        return list(kept.values()), ()
    were = (
        f"{recorded.kind}s that did not end well were"
        if len(dropped) > 1
        else f"{recorded.kind} that did not end well was"
    )
    return list(kept.values()), (f"{len(dropped)} {were} repeated and left out: {listed(dropped)}.",)


def _twice(recorded: Recorded, earlier: RunRow, row: RunRow, settings: Sequence[str]) -> UserError:
    of_task = f" of task {row.task!r}" if row.task else ""
    said = f"variant {row.variant!r}{of_task} has seed {row.seed} more than once"
    ours, others = earlier.run.settings, row.run.settings
    differ = [
        name
        for name in ours
        if name in others and ours[name] != others[name] and name not in (*settings, "run_id", "run_name")
    ]
    hint = f"; they differ in {listed(differ)}: `columns.variant=NAMES` takes several, separated by commas"
    return UserError(
        f"{recorded.where}, {recorded.kind}s {earlier.run.name} and {row.run.name}: {said}{hint if differ else ''}"
    )


def refuse_other_names(recorded: Recorded, rows: Sequence[RunRow], metric: str) -> None:
    """Refuse a variant whose runs ended well and logged other metrics alone: it has another name there."""
    ended: dict[str, list[RecordedRun]] = {}
    for row in rows:
        if not row.run.unfinished:
            ended.setdefault(row.variant, []).append(row.run)
    for variant, runs in ended.items():
        others = list(dict.fromkeys(name for run in runs for name in run.metrics))
        if others and metric not in others:
            raise UserError(
                f"{recorded.where}: no {recorded.kind} of variant {variant!r} has the metric {metric!r};"
                f" they have {listed(others)}"
            )


def refuse_two_in_one(recorded: Recorded, rows: Sequence[RunRow], metric: str) -> None:
    """Refuse a run with two values at nearly all of its steps: two metrics of one name, or two runs in one place.

    A run that was continued has two values at the steps that it did again, and those of the second time count.
    """
    for row in rows:
        by_step: dict[int | None, set[float]] = {}
        for step, value in row.run.metrics.get(metric, ()):
            if not math.isnan(value):
                by_step.setdefault(step, set()).add(value)
        twice = [step for step, values in by_step.items() if len(values) > 1]
        if len(by_step) > 1 and len(twice) >= _NEARLY_ALL * len(by_step):
            first = ", ".join(f"{value:g}" for value in sorted(by_step[twice[0]])[:2])
            raise UserError(
                f"{recorded.where}, {recorded.kind} {row.run.name}: {metric!r} has two values at {len(twice)} of its"
                f" {len(by_step)} steps, such as {first} at step {twice[0]}: two metrics under one name, or two runs in"
                " one place"
            )


def refuse_mixed_units(recorded: Recorded, rows: Sequence[RunRow], metric: str) -> None:
    """Refuse values of which some seem to be fractions and others the like in per cent."""
    for own in _by_task(rows).values():
        found = [row for row in own if math.isfinite(row.value)]
        low, high = ([r for r in found if 0 < r.value <= 1], [r for r in found if 1 < r.value <= 100])
        if not low or not high or len(low) + len(high) + sum(r.value == 0 for r in found) < len(found):
            continue
        least, most = min(r.value for r in high), max(r.value for r in low)
        factor = median(r.value for r in high) / median(r.value for r in low)
        # a loss may well be 0.05 for one variant and 5 for another, but not for two seeds of one variant
        within = {r.variant for r in low} & {r.variant for r in high}
        if least >= 10 * most and 30 <= factor <= 300 and (within or most >= 0.3):
            raise UserError(
                f"{recorded.where}: values of {metric!r} have mixed units: {_from_to(low)} as if fractions, and"
                f" {_from_to(high)} as if per cent ({recorded.kind} {high[0].run.name}); give all in one unit, or state"
                " it with `unit=NAME` if they are"
            )


def _by_task(rows: Sequence[RunRow]) -> dict[str, list[RunRow]]:
    found: dict[str, list[RunRow]] = {}
    for row in rows:
        found.setdefault(row.task, []).append(row)
    return found


def _from_to(rows: Iterable[RunRow]) -> str:
    values = sorted({row.value for row in rows})
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} to {values[-1]:g}"


def notes_of_failures(recorded: Recorded, rows: Sequence[RunRow], metric: str) -> tuple[str, ...]:
    """Return the notes of runs that failed, that diverged, and that lack the metric."""
    kind, notes = recorded.kind, []
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        if row.run.unfinished:
            by_reason.setdefault(row.run.unfinished, []).append(row.run.name)
        elif metric not in row.run.metrics:
            by_reason.setdefault(f"without {metric}", []).append(row.run.name)
        elif (row.run.metrics[metric] and not math.isfinite(row.value) and kind != "line") or math.isinf(
            row.value
        ):
            by_reason.setdefault("diverged", []).append(row.run.name)
    for reason, names in by_reason.items():
        plural = f"{kind}s" if len(names) > 1 else kind
        count = "count" if len(names) > 1 else "counts"
        notes.append(f"{len(names)} {plural} ({reason}) {count} as failed: {listed(names)}.")
    return tuple(notes)


def notes_of_pairs(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """Return the notes of seeds that only some variants have: pairs with them are missing."""
    notes = []
    for task, of_one in _by_task(rows).items():
        seeds: dict[str, set[str]] = {}
        for row in of_one:
            seeds.setdefault(row.variant, set()).add(row.seed)
        every = dict.fromkeys(row.seed for row in of_one)
        few = [variant for variant, own in seeds.items() if len(own) < len(every)]
        lacking = [
            f"{variant} lacks {listed(seed for seed in every if seed not in seeds[variant])}"
            for variant in few[:MOST_SHOWN]
        ]
        if lacking and len(seeds) > 1:
            of_task = f" of task {task}" if task else ""
            notes.append(
                f"Not every variant{of_task} has every seed: {'; '.join(lacking)}"
                f"{'; and others' if len(few) > len(lacking) else ''}."
                " Pairs are made of the seeds that both have, where there are any."
            )
    return tuple(notes)
