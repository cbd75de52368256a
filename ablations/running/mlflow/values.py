"""A trial as MLflow has it: parameters, metrics and tags, as plain text and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ablations.planning.metric import RESAMPLED
from ablations.running.record.trial_record import TrialResult

if TYPE_CHECKING:
    from ablations.planning.trial import Trial
    from ablations.running.record.trial_record import Failure, Result, Step, TrialRecord

ABSENT = "-"
PLAN = "plan"  # tag: the plan of the study that a run belongs to, of several with one name; it may change
LEVEL = "senet.level"  # tag: trial, proposal, summary or report
IMPORTED = "senet.imported"  # tag: where the result of a trial was recorded that no sweep has run
VALIDATION_NAMES = {
    "top1_error": "validation_error", "top5_error": "validation_top5_error", "test_loss": "validation_loss",
}  # fmt: skip
"""The names of a result's figures where the network was judged on validation images."""
DIGEST_CHARACTERS = 12  # MLflow keeps up to 36 of a data set's digest, but shows all that it has


EPOCH_METRIC = "seconds"
"""A figure that every epoch has, finite and once."""


def level_of(trial: Trial) -> str:
    """Return what a trial's run is: "proposal" where it takes part in a choice, else "trial"."""
    return "proposal" if trial.proposed else "trial"


def trial_parameters(trial: Trial, axis_values: Mapping[str, str]) -> dict[str, str]:
    """Return every choice that made the trial, by the name of its axis.

    Args:
        trial: the trial.
        axis_values: the row's own text for each axis of the study, which wins.
    """
    chosen = {**trial.choices(), "seed": trial.seed, **axis_values}
    return {name: _text(value) for name, value in chosen.items() if value is not None}


def finite_metrics(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep the numbers; MLflow reads infinity back as 1.8e308, and text and None are no metrics."""
    return {name: float(value) for name, value in values.items() if _is_finite(value)}


def epoch_step(epoch: Step) -> tuple[int, dict[str, Any]]:
    """Return an epoch's number and its figures."""
    return epoch.number, dict(epoch.values)


def final_metrics(record: TrialRecord) -> dict[str, float]:
    """Return the numbers of a trial's result; the last epoch has some of them already.

    Where the network was judged on validation images, they are called so.
    """
    if record.result is None:
        return {}
    final = {
        name: value
        for name, value in finite_metrics(record.result.values).items()
        if not name.startswith(RESAMPLED)
    }
    if record.proposed:
        final = {VALIDATION_NAMES.get(name, name): value for name, value in final.items()}
    logged = finite_metrics(record.history[-1].values) if record.history else {}
    return {name: value for name, value in final.items() if logged.get(name) != value}


def last_step(record: TrialRecord) -> int:
    """Return the number of a trial's last epoch or step; 0 where it reported none."""
    return record.history[-1].number if record.history else 0


def width_parameters(result: Result | None) -> dict[str, str]:
    """Return the bottleneck width built in each stage: two reductions may share one."""
    widths = result.bottleneck_widths if isinstance(result, TrialResult) else {}
    return {f"width.stage{stage}": str(width) for stage, width in widths.items()}


def failure_text(failure: Failure) -> str:
    """Return in one line why a trial failed."""
    return f"{failure.kind}: {failure.message}" + (
        "" if failure.epoch is None else f" (epoch {failure.epoch})"
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "+".join(map(str, value)) or ABSENT
    return str(value)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
