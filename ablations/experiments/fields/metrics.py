"""The metrics that a study file names: which way is better, the unit, and how numbers are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ablations.errors import StudyError
from ablations.experiments.fields.checks import check_fields, choice_field, mapping_field, text_field
from ablations.planning.metric import Metric

GOALS = ("minimise", "maximise")
FIELDS = ("goal", "unit", "title", "decimals", "key")
MOST_DECIMALS = 12

_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_OURS = ("variant", "seed", "status", "key", "difference", "p", "verdict", "train_seconds")
"""Names that columns of reports have already."""


def parse_metrics(value: object) -> tuple[Metric, ...]:
    """Return the metrics of a field such as `{accuracy: {goal: maximise, unit: "%"}}`; the first decides.

    `{accuracy: maximise}` says the goal alone. A metric in per cent has differences in points and two decimals; others
    have differences in their own unit, and four.

    Raises:
        StudyError: none is given, or a field is wrong.
    """
    given = mapping_field("experiment.metrics", value)
    if not given:
        raise StudyError("experiment.metrics: give at least one; the first decides")
    metrics = tuple(_metric(name, fields) for name, fields in given.items())
    keys = [metric.key for metric in metrics]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise StudyError(f"experiment.metrics: two metrics would be called {twice!r} in tables")
    return metrics


def metric_keys(value: object) -> dict[str, str]:
    """Return where each metric stands in what a program writes: `key` of the metric, or its name."""
    given = mapping_field("experiment.metrics", value)
    return {
        name: str(fields["key"]) if isinstance(fields, Mapping) and "key" in fields else name
        for name, fields in given.items()
    }


def _metric(name: str, fields: object) -> Metric:
    what = f"experiment.metrics.{name}"
    if name in _OURS:
        raise StudyError(f"{what}: reports have a column of this name; take another one")
    said: dict[str, Any] = {"goal": fields} if isinstance(fields, str) else mapping_field(what, fields)
    check_fields(what, said, FIELDS, ("goal",))
    goal = choice_field(f"goal of {what}", said["goal"], GOALS)
    unit = text_field(f"{what}.unit", said["unit"]) if "unit" in said else ""
    title = text_field(f"{what}.title", said["title"]) if "title" in said else name
    decimals = said.get("decimals", 2 if unit == "%" else 4)
    if type(decimals) is not int or not 0 <= decimals <= MOST_DECIMALS:
        raise StudyError(
            f"{what}.decimals must be a whole number from 0 to {MOST_DECIMALS}, got {decimals!r}"
        )
    if "key" in said:
        text_field(f"{what}.key", said["key"])
    key = _NOT_IN_KEYS.sub("_", name.lower()).strip("_")
    if not key:
        raise StudyError(f"{what}: a name has letters or digits")
    points = "points" if unit == "%" else unit
    return Metric(key, title, unit, points, decimals, goal == "minimise", name)
