"""Rankings: what says which channels of a group are worth least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from senet_core.blocks.registry import Registry
from senet_core.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from senet_core.pruning.groups import ChannelGroup

RANKINGS = Registry("ranking")
"""Functions of a group and of what is known beside its weights, which return the worth of each channel, (channels,)."""


@dataclass(frozen=True)
class Evidence:
    """What rankings may use beside the weights.

    Attributes:
        mean_gates: of every SE block by its path, as `mean_gates` returns them; empty where no ranking asks.
        generator: what random numbers are drawn from; None for torch's global generator.
    """

    mean_gates: Mapping[str, Tensor] = field(default_factory=dict)
    generator: torch.Generator | None = None


@RANKINGS.register(
    "gate",
    source="arXiv:1709.01507, section 8: the feature importance values of SE blocks may help to prune",
    differs="the paper gives no rule; ours is the mean gate over training images, and over the blocks of a stage",
)
def by_gate(group: ChannelGroup, evidence: Evidence) -> Tensor:
    """Return the mean gate of each channel, over the SE blocks that weigh it.

    Raises:
        UserError: none weighs it, or by no gates.
    """
    if not group.gates:
        raise UserError(f"ranking 'gate': no SE block weighs the channels of {group.path}")
    for path in group.gates:
        if path not in evidence.mean_gates:
            raise UserError(f"ranking 'gate': the block at {path} computes no gate for each channel")
    return _mean([evidence.mean_gates[path] for path in group.gates])


@RANKINGS.register("l1", source="Li et al. 2017, arXiv:1608.08710, section 3.1")
def by_l1(group: ChannelGroup, evidence: Evidence) -> Tensor:
    """Return the sum of the magnitudes of each channel's filter, over the convolutions that make it."""
    return _mean([weight.abs().sum(dim=(1, 2, 3)) for weight in group.filters])


@RANKINGS.register(
    "batch-norm",
    source="Liu et al. 2017, arXiv:1708.06519, section 3",
    differs="the network was not trained with their penalty on the scales",
)
def by_batch_norm(group: ChannelGroup, evidence: Evidence) -> Tensor:
    """Return the magnitude of each channel's scale, over the batch norms that follow the convolutions.

    Raises:
        UserError: there is none.
    """
    if not group.scales:
        raise UserError(f"ranking 'batch-norm': no batch norm follows the convolutions of {group.path}")
    return _mean([scale.abs() for scale in group.scales])


@RANKINGS.register("random", source="ours: what a ranking that knows nothing reaches")
def by_chance(group: ChannelGroup, evidence: Evidence) -> Tensor:
    """Return random numbers; a larger ratio removes what a smaller one does, and more."""
    import torch

    return torch.rand(group.channels, generator=evidence.generator, dtype=torch.float64)


def _mean(values: list[Tensor]) -> Tensor:
    import torch

    return torch.stack([value.detach().double().cpu() for value in values]).mean(0)
