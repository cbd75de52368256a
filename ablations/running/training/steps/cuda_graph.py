"""Graphs of CUDA, and which trainings are captured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ablations.planning.networks.recipe import Recipe
from ablations.running.training.optimizers import WITH_RATE_TENSOR


class CudaGraphs:
    """Captures on CUDA.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs, also for what must run on a stream beside
    the first one, and what is in memory that a graph keeps.
    """

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Let a block run on the stream of captures, after what was begun before it, and before what follows."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield
        torch.cuda.current_stream().wait_stream(self._stream)

    def capture(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return what replays a function.

        Raises:
            RuntimeError: it does something that cannot be captured.
        """
        graph = torch.cuda.CUDAGraph()
        # other threads of the process, as of a plug-in's, may go on using CUDA meanwhile
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return graph.replay


def is_captured(recipe: Recipe, device: torch.device) -> bool:
    """Return whether a training's steps are captured: on CUDA, with an optimiser that reads its rate from a tensor."""
    return device.type == "cuda" and recipe.optimizer in WITH_RATE_TENSOR
