"""Objective: what a choice makes as good as it can."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ablations.planning.metric import Metric


@dataclass(frozen=True)
class Objective:
    """One figure that proposals are judged by.

    Attributes:
        name: as studies and proposals say it.
        metric: how it is shown, which way is better, and its name in the results of proposals.
        step: its name in what a proposal reports on its way; "" for what is known at the end only.
        worst: the value that a diverged proposal counts as: nothing that diverges is chosen.
    """

    name: str
    metric: Metric
    step: str = ""
    worst: float = inf

    def cost(self, value: float) -> float:
        """Return a value as something that is to be small."""
        return value if self.metric.lower_is_better else -value
