"""From recorded runs to the frame that is compared: variant, seed, value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from ablations.analysis.external.asked import Asked, Goal
from ablations.analysis.external.checks import (
    RunRow,
    notes_of_failures,
    notes_of_pairs,
    refuse_mixed_units,
    refuse_other_names,
    refuse_two_in_one,
    without_repeated,
)
from ablations.analysis.external.runs import Recorded, RecordedRun, listed
from ablations.analysis.external.values import metric_name, notes_of_values, refuse_at, value_of
from ablations.analysis.external.variants import WHOLE, absent, variant_names, variant_of
from senet_core.errors import UserError


@dataclass(frozen=True)
class TableFile:
    """Runs of a source, read.

    Attributes:
        where: the source, for a title.
        frame: columns `variant`, `seed`, `value`, and `task` where the source names tasks; the value of a run without
            a result is NaN.
        notes: what was taken for granted when reading it, in sentences.
        metric: what the values are called, with their unit where it was stated.
        by: what makes a variant, in words.
        goal: of the values, where it was stated or the source knows it.
    """

    where: str
    frame: pd.DataFrame
    notes: tuple[str, ...]
    metric: str
    by: str
    goal: Goal | None


def table_of(recorded: Recorded, asked: Asked) -> TableFile:
    """Return the runs of a source as a frame.

    Runs that failed, did not finish, diverged or lack the metric have no result. A run that has neither a result nor
    all that makes variant and seed, as a run that starts others, is none of those that are compared.

    Raises:
        UserError: the first thing that is wrong.
    """
    if not recorded.runs:
        raise UserError(f"{recorded.where} has no {recorded.kind}s")
    seed = asked.seed or "seed"
    names = variant_names(recorded, asked, seed)
    if seed not in (known := recorded.setting_names()):
        raise absent(recorded, "parameter", seed, known, "columns.seed")
    task = _task(recorded, asked, known)
    if task is not None and task in (seed, *names):
        raise UserError(
            f"{recorded.where}: {task!r} cannot be the task and {'the seed' if task == seed else 'part of the variant'}"
        )
    needed = (*names, seed, *(() if task is None else (task,)))
    metric = metric_name(recorded, asked, needed)
    refuse_at(recorded, asked, metric)
    higher = (asked.goal or recorded.goal) == "maximise"
    rows, aside = [], []
    for run in recorded.runs:
        missing = [name for name in needed if not run.settings.get(name)]
        if not missing:
            of_task = "" if task is None else run.settings[task]
            value = (
                math.nan if run.unfinished else value_of(run.metrics.get(metric, ()), asked, higher=higher)
            )
            rows.append(
                RunRow(run, of_task, variant_of(run.settings, names), _seed(run.settings[seed]), value)
            )
        elif metric in run.metrics and not run.unfinished:
            raise UserError(
                f"{recorded.where}, {recorded.kind} {run.name}: it has {metric!r}, and no {missing[0]!r}"
            )
        else:
            aside.append(run)
    kept, notes = without_repeated(recorded, rows, (*needed, metric))
    refuse_other_names(recorded, kept, metric)
    refuse_two_in_one(recorded, kept, metric)
    if asked.unit is None:
        refuse_mixed_units(recorded, kept, metric)
    notes = (
        *recorded.notes,
        *_note_of_others(recorded, aside),
        *notes,
        *notes_of_values([row.run for row in kept], asked, metric),
    )
    if asked.task is None and task is not None:
        file = "the file" if recorded.kind == "line" else "all"
        notes = (
            *notes,
            f"The column {task!r} tells tasks apart, with a table each; an empty `columns.task` takes {file} as one.",
        )
    return TableFile(
        recorded.where,
        _frame(kept, has_tasks=task is not None),
        (*notes, *notes_of_failures(recorded, kept, metric), *notes_of_pairs(kept)),
        metric if asked.unit is None else f"{metric} ({asked.unit})",
        ", ".join(names),
        asked.goal or recorded.goal,  # type: ignore[arg-type]
    )


def _task(recorded: Recorded, asked: Asked, known: list[str]) -> str | None:
    """Return the setting that tells tasks apart; None where all runs are of one task."""
    if asked.task is None:
        return "task" if "task" in known and "task" not in (asked.seed, *asked.variant) else None
    if asked.task and asked.task not in known:
        raise absent(recorded, "parameter", asked.task, known, "columns.task")
    return asked.task or None


def _seed(text: str) -> str:
    """Return a seed as it is written once: "3.0" and "+3" are 3."""
    return str(int(text.partition(".")[0])) if WHOLE.fullmatch(text) else text


def _frame(rows: list[RunRow], *, has_tasks: bool) -> pd.DataFrame:
    whole = all(WHOLE.fullmatch(row.seed) for row in rows)
    records = [
        (
            row.task,
            row.variant,
            int(row.seed) if whole else row.seed,
            row.value if math.isfinite(row.value) else math.nan,
        )
        for row in rows
    ]
    frame = pd.DataFrame(records, columns=["task", "variant", "seed", "value"])
    return frame if has_tasks else frame.drop(columns="task")


def _note_of_others(recorded: Recorded, runs: list[RecordedRun]) -> tuple[str, ...]:
    if not runs:
        return ()
    have = f"{recorded.kind}s have" if len(runs) > 1 else f"{recorded.kind} has"
    are = "are" if len(runs) > 1 else "is"
    return (
        f"{len(runs)} {have} neither a result nor all that makes variant and seed, and {are} left out: "
        f"{listed(run.name for run in runs)}.",
    )
