"""Plateaus: cuts of the rate where the loss on watched images falls no more."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ablations.planning.networks.recipe import Recipe


@dataclass
class Plateau:
    """What is known of the loss on the watched images.

    Attributes:
        lowest: loss so far.
        waited: epochs since, or since the last cut.
        cuts: of the rate so far.
    """

    lowest: float = math.inf
    waited: int = 0
    cuts: int = 0

    def note(self, loss: float, recipe: Recipe) -> None:
        """Take the loss after an epoch, and count a cut where it is due.

        Args:
            loss: mean over the watched images.
            recipe: its `patience` and `cuts`.
        """
        assert recipe.patience is not None
        assert recipe.cuts is not None
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(self.lowest, loss)
        if self.waited == recipe.patience and self.cuts < recipe.cuts:
            self.cuts, self.waited = self.cuts + 1, 0

    def state(self) -> dict[str, Any]:
        """Return it for a checkpoint."""
        return asdict(self)
