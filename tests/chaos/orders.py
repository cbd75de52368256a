"""Orders to die in the midst of a write: which kind of file is next, and what became of an order."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inherited.midway import TAKEN

MOST_EVENTS = {
    "record line": 4,
    "outcomes": 12,
    "weights": 12,
    "interim analyses": 2,
    "proposals": 4,
    "forecast": 3,
    "lease": 12,
    "progress": 12,
    "checkpoint": 9,
    "plan": 3,
    "report": 30,
    "MLflow": 100,
}
"""By kind: how many times, at the most, a process of a sweep changes such files before it ends there."""

MOST_TRIES = 8


@dataclass(frozen=True)
class Order:
    """An order that one process end itself while it writes a file of a kind."""

    path: Path
    kind: str

    @property
    def taken_by(self) -> int | None:
        """The process that has ended by it; None while none has."""
        found = self.path.parent.glob(f"{self.path.name}{TAKEN}*")
        return next((int(path.name.rpartition(TAKEN)[2]) for path in found), None)


class Orders:
    """The orders that a study is given.

    Args:
        folder: where they are written.
        kinds: of files, each to be hit.
        draw: decides between kinds, and when and how far a write goes.
    """

    def __init__(self, folder: Path, kinds: Sequence[str], draw: random.Random) -> None:
        self._folder, self._kinds, self._draw = folder, kinds, draw
        self._tries: Counter[str] = Counter()

    def missing(self, kills: Counter[str]) -> list[str]:
        """Return the kinds that were never hit."""
        return [kind for kind in self._kinds if not kills[kind]]

    def hopeful(self, kills: Counter[str]) -> list[str]:
        """Return the kinds that were never hit, and not often tried."""
        return [kind for kind in self.missing(kills) if self._tries[kind] < MOST_TRIES]

    def write(self, kills: Counter[str]) -> Order:
        """Write an order for a kind that was not hit yet, if there is one, and else for one that was tried least."""
        left = self.hopeful(kills) or list(self._kinds)
        least = min(self._tries[kind] for kind in left)
        kind = self._draw.choice([kind for kind in left if self._tries[kind] == least])
        # what is never reached is tried earlier the next time
        most = max(1, MOST_EVENTS[kind] // (1 + self._tries[kind] - kills[kind]))
        self._tries[kind] += 1
        path = self._folder / f"order-{self._tries.total()}.json"
        content = {"kind": kind, "event": self._draw.randint(1, most), "share": self._draw.random()}
        path.write_text(json.dumps(content), encoding="utf-8")
        return Order(path, kind)
