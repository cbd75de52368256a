"""Named random streams: every source of randomness has its own, derived from one seed.

Two variants with the same seed then share whatever they have in common (backbone weights, batches) bit for
bit, however many numbers the rest of either draws. That is what lets their scores be compared in pairs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def stream_seed(seed: int, *names: str | int) -> int:
    """Derive the seed of a named stream.

    Args:
        seed: the trial's seed.
        names: the stream's name, as specific as needed: ("gate", "layer1.0").

    Returns:
        A number from 0 to 2**63 - 1, the same on every machine and Python.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@contextmanager
def drawing_from(seed: int | None, *names: str | int, device: torch.device | None = None) -> Iterator[None]:
    """Make torch draw from a named stream inside the block; the global state is restored.

    Args:
        seed: None leaves torch's global generators in use.
        names: the stream.
        device: a CUDA device, whose generator is then seeded as well as the CPU's.
    """
    import torch

    if seed is None:
        yield
        return
    on_cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_cuda else []):
        torch.default_generator.manual_seed(stream_seed(seed, *names))
        if on_cuda:
            torch.cuda.manual_seed(stream_seed(seed, *names))
        yield


def draw_noise_from(model: nn.Module, generator: torch.Generator | None) -> None:
    """Set the generator of a network's random layers: those that have an attribute `generator`.

    Shake-Shake networks have such layers. Plain and SE networks draw in the same order, so that with
    generators of one seed they see the same noise. Dropout in torch draws from the global generator only.

    Args:
        model: any network; most have nothing to set.
        generator: None for torch's global generator, which is also where the layers draw from at first.
    """
    for module in model.modules():
        if hasattr(module, "generator"):
            setattr(module, "generator", generator)  # noqa: B010  # mypy: any module may have one
