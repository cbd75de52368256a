"""A step that is captured as a graph and replayed: hundreds of kernels are started by one call."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor

from ablations.running.machine.cuda.lost_context import loses_context
from ablations.running.training.steps.step import Step
from senet_core.errors import one_line

EAGER_STEPS = 3
"""Of each size of images, before one is captured: libraries are loaded in them, and the optimiser makes its state."""

log = logging.getLogger("ablations")


class Graphs(Protocol):
    """What captures: CUDA, or in tests what stands in for it."""

    def beside(self) -> AbstractContextManager[Any]:
        """Return a context in which steps before a capture run as in one: on another stream."""

    def capture(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return what does again, on the same tensors, what a function does; nothing is computed by the capture.

        Raises:
            RuntimeError: it does something that cannot be captured, such as waiting for the device.
        """


class CapturedStep:
    """A step that is taken as it is written at first, then captured, and replayed from there on.

    The graph reads each batch from the same memory. Images of a new size need a new graph; the old one is forgotten, as
    sizes only rise. What cannot be captured, or draws random numbers on the CPU (a graph would repeat them), goes on as
    it is written, with a line in the log.

    Args:
        step: what is captured; its rate is in a tensor.
        graphs: what captures.

    Attributes:
        step: as given, to be taken without a graph.
        why_not: why nothing is captured any more; empty while it may be.
    """

    def __init__(self, step: Step, graphs: Graphs) -> None:
        self.step, self._graphs = step, graphs
        self.why_not = ""
        self._seen: tuple[Any, ...] = ()
        self._taken = 0
        self._images = self._targets = torch.empty(0)
        self._replay: Callable[[], None] | None = None

    def __call__(self, images: Tensor, targets: Tensor, rate: float) -> None:
        """Take a step; arguments as for `Step`."""
        kind = (images.shape, targets.shape, targets.dtype)
        if kind != self._seen:
            self._seen, self._taken, self._replay = kind, 0, None
        if self._taken < EAGER_STEPS and not self.why_not:
            self._taken += 1
            with self._graphs.beside():
                self.step(images, targets, rate)
            return
        if self._replay is None and not self.why_not:
            self._images, self._targets = images.clone(), targets.clone()
            self._replay = self._captured()
        if self._replay is None:
            self.step(images, targets, rate)
            return
        self.step.set_rate(rate)
        self._images.copy_(images)
        self._targets.copy_(targets)
        self._replay()

    def _captured(self) -> Callable[[], None] | None:
        before = self._host_draws()
        try:
            replay = self._graphs.capture(lambda: self.step.take(self._images, self._targets))
        except RuntimeError as error:
            if loses_context(error) and "captur" not in str(error):
                raise
            self.why_not = one_line(error)
        else:
            if _equal(before, self._host_draws()):
                return replay
            self.why_not = "its network draws random numbers on the CPU"
        self._draw_again_from(before)
        log.warning("a step is not captured as a graph, and slower: %s", self.why_not[:300])
        return None

    def _host_draws(self) -> list[Any]:
        """Return the states of the CPU's generators that a network may draw from."""
        return [
            random.getstate(),
            torch.get_rng_state(),
            *(own.get_state() for own in self._own_generators()),
        ]

    def _draw_again_from(self, states: list[Any]) -> None:
        random.setstate(states[0])
        torch.set_rng_state(states[1])
        for own, state in zip(self._own_generators(), states[2:], strict=True):
            own.set_state(state)

    def _own_generators(self) -> list[torch.Generator]:
        found = (getattr(module, "generator", None) for module in self.step.model.modules())
        return [own for own in found if isinstance(own, torch.Generator) and own.device.type == "cpu"]


def _equal(before: list[Any], now: list[Any]) -> bool:
    return before[0] == now[0] and all(map(torch.equal, before[1:], now[1:]))
