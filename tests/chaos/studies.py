"""The studies that are put under fire, and how they grow while there are kills left."""

from __future__ import annotations

from inherited.midway import PATHS

GRID = """
title: Chaos
question: Does a sweep survive being killed?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 600, test_images: 300}
recipe: {base: cifar-quick, epochs: %d, warmup: 0.2, batch_size: 64, lr: 0.1, pad: 1, precision: fp32}
axes:
  squeeze: [avg, max]
  excitation: [sigmoid, tanh]
keep_weights: true
"""

# drawn at random, a proposal depends on its number alone: whatever is killed when, the same ones come
SEARCH = """
title: Chaos
question: Does a search survive being killed?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 300, test_images: 100}
recipe: {base: cifar-quick, epochs: %d, warmup: 0.2, batch_size: 64, lr: 0.1, pad: 1, precision: fp32}
axes: {squeeze: [avg, max, none], excitation: [sigmoid, relu], reduction: [2, 4, 8]}
design: search
search: {trials: 2, validation_images: 100, sampler: random, winners: 1}
confirm: 2
keep_weights: true
"""
ROWS = 4
CONFIRMING = 4


class Grid:
    """Four networks, compared on ever more seeds.

    Attributes:
        text: the study file, but for its epochs.
        kinds: of files in whose writing its processes are killed.
        kills_workers: whether they are killed, too.
        grows_when_ended: whether it grows only at its end, and so was at its end at each of its sizes.
        size: seeds.
    """

    text = GRID
    kinds = tuple(kind for kind in PATHS if kind != "proposals")
    kills_workers = True
    grows_when_ended = False

    def __init__(self) -> None:
        self.size = 2

    @property
    def trials(self) -> int:
        """Trials that it comes to."""
        return ROWS * self.size

    def words(self) -> list[str]:
        """Return how it is asked for."""
        return [f"--seeds={self.size}"]

    def grow(self, finished: int, sweeps: int, *, ended: bool) -> None:
        """Add a seed where so few trials are left that some sweep would soon have nothing to do."""
        if self.trials - finished < 2 * ROWS * sweeps:
            self.size += 1


class Search:
    """A search for a network; its workers live, as a killed one is a failed proposal, which another replaces.

    Attributes:
        text, kinds, kills_workers, grows_when_ended: as those of `Grid`.
        size: proposals.
    """

    text = SEARCH
    kinds = (
        "record line",
        "proposals",
        "lease",
        "report",
        "MLflow",
    )  # it has one interim analysis and few plans
    kills_workers = False
    grows_when_ended = True

    def __init__(self) -> None:
        self.size = 4

    @property
    def trials(self) -> int:
        """Trials that it comes to, if its winner stays the same."""
        return self.size + CONFIRMING

    def words(self) -> list[str]:
        """Return how it is asked for."""
        return ["--set", f"search.trials={self.size}"]

    def grow(self, finished: int, sweeps: int, *, ended: bool) -> None:
        """Add proposals after the winners of those before were compared: the quiet run does so, too."""
        if ended:
            self.size += 2
