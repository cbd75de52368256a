"""The average of a network's weights over its training, which is what is tested."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from itertools import chain

import torch
from torch import Tensor, nn

_Pair = tuple[Tensor, Tensor]


class Average(nn.Module):
    """A network whose weights follow those of another as an exponential average, statistics included.

    It begins with the weights after the first step. It is in evaluation mode. No step waits for the device: how many
    there were is counted on the CPU, and all weights of one kind change in one call.

    Args:
        model: what is trained.
        decay: share that the average keeps at each step, above 0 and below 1.

    Attributes:
        module: the average.
        n_averaged: steps so far; always on the CPU.

    Source: Polyak and Juditsky 1992, SIAM J. Control Optim. 30, p. 838, for averages; exponential ones as torch has
    them (AveragedModel of its swa_utils), whose bits and whose names in a state these are, without a warm-up of the
    decay.
    """

    n_averaged: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = deepcopy(model)
        self._decay = decay
        self.register_buffer("n_averaged", torch.zeros((), dtype=torch.long, device="cpu"))
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Follow the network after one more step.

        Args:
            model: what is trained, on the same device.
        """
        pairs = list(zip(_values(self.module), _values(model), strict=True))
        if self.n_averaged == 0:
            for mine, its in pairs:
                mine.copy_(its)
        else:
            self._follow(pairs)
        self.n_averaged += 1

    def _follow(self, pairs: list[_Pair]) -> None:
        kinds: dict[torch.dtype, list[_Pair]] = defaultdict(list)
        for mine, its in pairs:
            kinds[mine.dtype].append((mine, its))
        for kind, several in kinds.items():
            own, theirs = map(list, zip(*several, strict=True))
            if kind.is_floating_point or kind.is_complex:
                torch._foreach_lerp_(own, theirs, 1 - self._decay)
            else:
                self._count(own, theirs)

    def _count(self, own: list[Tensor], theirs: list[Tensor]) -> None:
        """Average whole numbers, such as those of the batches that a batch norm has seen; they are rounded down."""
        flat, other = (torch.cat([value.reshape(-1) for value in values]) for values in (own, theirs))
        mean = (flat * self._decay + other * (1 - self._decay)).to(flat.dtype)
        for mine, new in zip(own, torch.split(mean, [value.numel() for value in own]), strict=True):
            mine.copy_(new.view_as(mine))


def _values(network: nn.Module) -> list[Tensor]:
    return [value.detach() for value in chain(network.parameters(), network.buffers())]
