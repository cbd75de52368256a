"""Runs as a source has recorded them, before it is decided which of them make which variant."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ablations.analysis.external.asked import Goal, compose

MOST_SHOWN = 5
"""Names in one sentence; the others are counted."""

Points = Sequence[tuple[int | None, float]]
"""What a run has logged under one name, in the order of its steps; the step is None where the source has none."""


@dataclass(frozen=True)
class RecordedRun:
    """One run.

    Attributes:
        name: by which a person finds it, as in "run 'x'" or "line 3".
        settings: what it was run with, by name, as text.
        metrics: what it has logged, by name; a value may be NaN or infinite.
        unfinished: in a word, why it has no result ("failed", "running"); empty for a run that has ended well.
        identity: by which the source itself knows it, where that is not its name.
    """

    name: str
    settings: Mapping[str, str]
    metrics: Mapping[str, Points]
    unfinished: str = ""
    identity: str = ""


@dataclass(frozen=True)
class Recorded:
    """What a source holds.

    Attributes:
        where: of it, for messages: "'runs.csv'", "MLflow's experiment 'lr'".
        runs: in the order in which they were recorded.
        notes: what was taken for granted when reading it, in sentences.
        kind: what a run is called there: "run", "trial", "line".
        variant: what makes a variant where nothing is asked; empty where the source cannot know.
        metric: what is compared where nothing is asked; None for the only one.
        goal: of that metric, where the source knows it.
        has_steps: whether a run has values by step.
    """

    where: str
    runs: Sequence[RecordedRun]
    notes: tuple[str, ...] = ()
    kind: str = "run"
    variant: tuple[str, ...] = ()
    metric: str | None = None
    goal: Goal | None = None
    has_steps: bool = False

    def setting_names(self) -> list[str]:
        """Return the names of all settings, in order of appearance."""
        return list(dict.fromkeys(name for run in self.runs for name in run.settings))

    def metric_names(self) -> list[str]:
        """Return the names of all metrics, in order of appearance."""
        return list(dict.fromkeys(name for run in self.runs for name in run.metrics))


def as_text(value: object) -> str:
    """Return a setting as text, in which equal values are equal; a list or a mapping as JSON."""
    if isinstance(value, str):
        return compose(value.strip())
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def as_number(value: object) -> float | None:
    """Return a value as a number; None for what is none. Words for what is not finite are numbers, and so is null."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        words = {
            "nan": math.nan,
            "inf": math.inf,
            "infinity": math.inf,
            "-inf": -math.inf,
            "-infinity": -math.inf,
        }
        return words.get(value.strip().lower())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def listed(names: Iterable[object], most: int = MOST_SHOWN) -> str:
    """Return names as in a sentence: "a, b and 3 more"."""
    shown = [str(name) for name in names]
    more = len(shown) - most
    if more > 0:
        return f"{', '.join(shown[:most])} and {more} more"
    return ", ".join(shown)
