"""Remove the channels of a trained network that a ranking gives the least worth."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from senet_core.errors import UserError
from senet_core.pruning.groups import ChannelGroup, Dependencies
from senet_core.pruning.rankings import RANKINGS, Evidence
from senet_core.pruning.ratio import check_ratio, removed_of


@dataclass(frozen=True)
class Removed:
    """Channels that were removed from a group.

    Attributes:
        group: the path of its first convolution.
        channels: it had so many.
        removed: which of them, from 0, rising.
    """

    group: str
    channels: int
    removed: tuple[int, ...]


def prune_channels(
    model: nn.Module,
    *,
    ranking: str,
    ratio: float,
    image_shape: tuple[int, int, int],
    evidence: Evidence | None = None,
) -> tuple[Removed, ...]:
    """Remove the same share of channels from every group that SE blocks weigh, in place; the network becomes smaller.

    In a network with SE blocks, the channels are those that its gates weigh, whatever the ranking: inside of the units
    with the integration conv3x3, and those of the residual stages with the others. In a network without, they are
    those inside of the units. With one share for all groups, every ranking leaves a network of the same size.

    Args:
        model: trained.
        ranking: a registered ranking.
        ratio: the share to remove, above 0 and below 1; at least one channel is left, and shares are rounded.
        image_shape: (C, H, W) in pixels.
        evidence: what the ranking uses beside the weights.

    Returns:
        What was removed, group by group.

    Raises:
        UserError: the ranking is unknown or cannot be had here, the ratio is out of range, torch-pruning is not
            installed or cannot follow the network.
    """
    worth = RANKINGS[ranking].build
    check_ratio(ratio)
    evidence = evidence or Evidence()
    dependencies = Dependencies(model, image_shape)
    groups = prunable(dependencies.groups())
    if not groups:
        raise UserError(f"{type(model).__name__} has no channels that can be removed")
    for group in groups:
        if group.why_not:
            raise UserError(f"cannot remove channels of {group.path}: {group.why_not}")
    # all are ranked before the first is removed: a filter is smaller once its inputs are
    least = [_least(worth(group, evidence).tolist(), removed_of(group.channels, ratio)) for group in groups]
    for group, channels in zip(groups, least, strict=True):
        dependencies.remove(group, channels)
    dependencies.check()
    return tuple(
        Removed(group.path, group.channels, channels) for group, channels in zip(groups, least, strict=True)
    )


def prunable(groups: tuple[ChannelGroup, ...]) -> tuple[ChannelGroup, ...]:
    """Return the groups that SE blocks weigh; in a network without, those inside of its units."""
    gated = tuple(group for group in groups if group.gates)
    return gated or tuple(group for group in groups if group.is_inside)


def _least(worth: list[float], count: int) -> tuple[int, ...]:
    """Return the places of the smallest numbers; of equal ones, the first."""
    order = sorted(range(len(worth)), key=lambda place: (worth[place], place))
    return tuple(sorted(order[:count]))
