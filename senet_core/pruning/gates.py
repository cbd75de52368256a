"""The mean gate of every channel that SE blocks weigh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from senet_core.blocks.block import SEBlock
from senet_core.kernel_hook import computing_by


@torch.no_grad()
def mean_gates(model: nn.Module, batches: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return the mean magnitude of each gate over images, by the path of the SE block.

    Args:
        model: in whatever mode; it is run in evaluation mode and comes back as it was.
        batches: of images, on the network's device; of training images, since what is chosen by test images says
            nothing about them.

    Shapes:
        batches: (N, C, H, W); returns (channels,) for each block, on the processor, of float64. Where the squeeze keeps
            positions, the mean is over them, too.
    """
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def add(path: str, gates: Tensor) -> None:
        by_channel = gates.detach().abs().double().transpose(0, 1).flatten(1)
        sums[path] = sums.get(path, 0) + by_channel.sum(1).cpu()
        counts[path] = counts.get(path, 0) + by_channel.shape[1]

    training = model.training
    try:
        with ExitStack() as stack:
            stack.enter_context(computing_by(None))  # fused passes compute gates elsewhere
            for path, block in model.named_modules():
                if isinstance(block, SEBlock):
                    stack.enter_context(_telling(block, partial(add, path)))
            model.eval()
            for images in batches:
                model(images)
    finally:
        model.train(training)
    return {path: total / counts[path] for path, total in sums.items()}


@contextmanager
def _telling(block: SEBlock, tell: Callable[[Tensor], None]) -> Iterator[None]:
    compute = block.gates

    def gates(squeezed: Tensor) -> Tensor:
        found = compute(squeezed)
        tell(found)
        return found

    setattr(block, "gates", gates)  # noqa: B010  # mypy: a method
    try:
        yield
    finally:
        delattr(block, "gates")
