"""A trial as MLflow has it: parameters, metrics and tags, as plain text and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from senet_core.variant import PREFIX, SEVariant
from senet_core.variant_text import PLAIN

if TYPE_CHECKING:
    from ablations.planning.trial import Trial

ABSENT = "-"
LEVEL = "senet.level"  # tag: trial, proposal, summary or report
VALIDATION_NAMES = {
    "top1_error": "validation_error", "top5_error": "validation_top5_error", "test_loss": "validation_loss",
}  # fmt: skip
"""What a result's figures are called where the network was judged on validation images."""
DIGEST_CHARACTERS = 12  # MLflow keeps up to 36 of a data set's digest, but shows all that it has


def level_of(trial: Trial) -> str:
    """Return what a trial's run is: "proposal" where it takes part in a choice, else "trial"."""
    return "trial" if trial.data.validation_images is None else "proposal"


def run_name(row_labels: Sequence[str], seed: int) -> str:
    """Return the name of a trial's run by the rows it belongs to: "SE r=8 · seed 0"."""
    return f"{' / '.join(row_labels)} · seed {seed}"


def trial_parameters(trial: Trial, axis_values: Mapping[str, str]) -> dict[str, str]:
    """Return every choice that made the trial, by the name of its axis.

    Args:
        trial: the trial; its plain network has "-" where a variant has a value.
        axis_values: the row's own text for each axis of the study, which wins.
    """
    content = trial.to_json()
    chosen = {"backbone": content["backbone"], **_variant_values(content["variant"])}
    chosen |= {"data" if name == "name" else f"data.{name}": value for name, value in content["data"].items()}
    chosen |= {f"recipe.{name}": value for name, value in content["recipe"].items()}
    chosen |= {"seed": content["seed"], **axis_values}
    return {name: _text(value) for name, value in chosen.items() if value is not None}


def finite_metrics(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep the numbers; MLflow reads infinity back as 1.8e308, and text and None are no metrics."""
    return {name: float(value) for name, value in values.items() if _is_finite(value)}


def epoch_step(epoch: object) -> tuple[int, dict[str, Any]]:
    """Return an epoch's number and its figures."""
    figures = dict(as_mapping(epoch))
    return int(figures.pop("epoch")), figures


def final_metrics(result: object, history: Sequence[object]) -> dict[str, float]:
    """Return the result's numbers, without those whose last epoch already is the final value."""
    logged = set(as_mapping(history[-1])) if history else set()
    return {name: value for name, value in finite_metrics(as_mapping(result)).items() if name not in logged}


def width_parameters(result: object) -> dict[str, str]:
    """Return the bottleneck width built in each stage: two reductions may share one."""
    widths = as_mapping(result).get("bottleneck_widths") or {}
    return {f"width.stage{stage}": str(width) for stage, width in widths.items()}


def failure_text(failure: object) -> str:
    """Return in one line why a trial failed."""
    content = as_mapping(failure)
    epoch = content.get("epoch")
    place = "" if epoch is None else f" (epoch {epoch})"
    return f"{content.get('kind', 'error')}: {content.get('message', '')}{place}"


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a part of a record as a mapping, be it a mapping, a dataclass or None."""
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return {}


def _variant_values(text: str) -> dict[str, str]:
    if text == PLAIN:
        return {field.name: ABSENT for field in fields(SEVariant)}
    return dict(part.split("=", 1) for part in text.removeprefix(PREFIX).split(","))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "+".join(map(str, value)) or ABSENT
    return str(value)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
