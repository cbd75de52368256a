"""What is asked of a source of recorded runs: which of its names are the variant, the seed and the value."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from senet_core.errors import UserError, nearest, unknown

Goal = Literal["minimise", "maximise"]

GOALS: tuple[Goal, ...] = ("minimise", "maximise")
_WORDS = ("last", "best")
STEP = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Asked:
    """What is asked of a source; None and () leave it to the source.

    Attributes:
        variant: what makes a variant: columns of a table, parameters, parts of a folder's name.
        seed: what tells the runs of one variant apart.
        metric: what is compared.
        task: what tells tasks apart; None for `task` where there is one, "" for none even then: all is one task.
        pattern: how the names of folders, or of runs, are made up, such as "{variant}/seed{seed}".
        at: "last" or "best" of a run's values, or the number of a step.
        goal: "minimise" or "maximise"; what "best" goes by.
        unit: of the values; whoever states it answers for them all having it.
        tracking_uri: MLflow's store; None for that of MLFLOW_TRACKING_URI, or of the working folder.

    Raises:
        UserError: `at` or `goal` is none of its words.
    """

    variant: tuple[str, ...] = ()
    seed: str | None = None
    metric: str | None = None
    task: str | None = None
    pattern: str | None = None
    at: str = "last"
    goal: str | None = None
    unit: str | None = None
    tracking_uri: str | None = None

    def __post_init__(self) -> None:
        if self.at not in _WORDS and not STEP.fullmatch(self.at):
            near = nearest(self.at, _WORDS)
            hint = f"; did you mean {near!r}?" if near else ""
            raise UserError(f"`at` takes last, best or the number of a step, got {self.at!r}{hint}")
        if self.goal is not None and self.goal not in GOALS:
            raise unknown("goal", self.goal, GOALS)
        twice = [name for name in self.variant if self.variant.count(name) > 1]
        if twice:
            raise UserError(f"`columns.variant` names {twice[0]!r} twice")

    @property
    def step(self) -> int | None:
        """The step that is asked for; None for the last or the best."""
        return None if self.at in _WORDS else int(self.at)

    def composed(self) -> Asked:
        """Return the same in Unicode's composed form, in which names are compared."""
        return replace(
            self,
            variant=tuple(map(compose, self.variant)),
            seed=None if self.seed is None else compose(self.seed),
            metric=None if self.metric is None else compose(self.metric),
            task=None if self.task is None else compose(self.task),
        )


def compose(text: str) -> str:
    """Return a text in Unicode's composed form."""
    return unicodedata.normalize("NFC", text)
