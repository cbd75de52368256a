"""Trial: one run of an experiment, as a value whose key is the hash of its content."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any


class Trial(ABC):
    """One run; equal values are the same trial, in whichever study. Each kind of experiment has a class of its own.

    Attributes:
        seed: at least 0; determines everything random in it.
    """

    if TYPE_CHECKING:  # a property here would be the default of the fields that are called so

        @property
        def seed(self) -> int:
            """At least 0."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`; with the seed as "seed"."""

    @abstractmethod
    def choices(self) -> dict[str, Any]:
        """Return every choice that made it, by the name of its axis."""

    @property
    def proposed(self) -> bool:
        """Whether it takes part in a choice, and is judged on validation data."""
        return False

    @cached_property
    def key(self) -> str:
        """The trial's key: 16 hexadecimal digits of the SHA-256 of its canonical JSON."""
        return trial_key(self.to_json())


def in_precision(trial: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """Return a trial's canonical JSON with another precision; trials that know of none are as they were."""
    if "recipe" not in trial:
        return dict(trial)
    return {**trial, "recipe": {**trial["recipe"], "precision": precision}}


def trial_key(trial: Mapping[str, Any]) -> str:
    """Return the key of a trial's canonical JSON, which need not be readable with the registered names.

    Raises:
        ValueError, TypeError: it is not JSON.
    """
    text = json.dumps(trial, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
