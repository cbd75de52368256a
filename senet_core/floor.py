"""Notes on the least bottleneck, one unit, and on reductions that build the same width."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from senet_core.variants.variant import SEVariant


@dataclass(frozen=True)
class Bottlenecks:
    """The bottlenecks of one network.

    Attributes:
        label: how the network is called.
        backbone: its name.
        variant: its SE block.
        widths: stage to the units of the bottlenecks in it, in order.
        channels: stage to the channels that those blocks weigh.
    """

    label: str
    backbone: str
    variant: SEVariant
    widths: Mapping[int, Sequence[int]]
    channels: Mapping[int, Sequence[int]]

    def floored(self, stage: int) -> int:
        """Count the blocks of a stage whose width is the floor of one unit and not C // r."""
        ratio = self.variant.reduction_in(stage)
        return sum(channels < ratio for channels in self.channels[stage])


def width_text(widths: Mapping[int, Sequence[int]]) -> str | None:
    """Return bottleneck units by stage: "1/2/4", "1,2×2/4" where a stage has several; None where there are none."""
    return "/".join(_runs(widths[stage]) for stage in sorted(widths)) or None


def _runs(widths: Sequence[int]) -> str:
    runs = [(width, len(list(run))) for width, run in groupby(widths)]
    if len(runs) == 1:
        return str(runs[0][0])
    return ",".join(str(width) if times == 1 else f"{width}×{times}" for width, times in runs)


def floor_notes(networks: Iterable[Bottlenecks]) -> tuple[str, ...]:
    """Return sentences on where the floor of one unit acts, and which reductions have equal widths.

    Args:
        networks: rows of one table.

    Returns:
        The sentences, without markup, each once.
    """
    groups: dict[tuple[str, str], list[Bottlenecks]] = defaultdict(list)
    notes: dict[str, None] = {}  # a grid has each reduction many times and needs each sentence once
    for network in networks:
        groups[network.backbone, str(replace(network.variant, reduction=1, stages=None))].append(network)
    for group in groups.values():
        notes |= dict.fromkeys(note for network in group for note in _acting(network))
        notes |= dict.fromkeys(_equal(group))
    return tuple(notes)


def _acting(network: Bottlenecks) -> Iterable[str]:
    for stage in sorted(network.widths):
        ratio, blocks = network.variant.reduction_in(stage), len(network.channels[stage])
        floored = network.floored(stage)
        if floored == blocks:
            yield (
                f"Stage {stage} has fewer than r = {ratio} channels: the bottleneck has one unit there, the "
                "least possible, and not the C/r of the paper."
            )
        elif floored:
            yield (
                f"In stage {stage} of {network.label}, {floored} of {blocks} blocks weigh fewer than r = {ratio} "
                "channels and have one unit, the least possible; the others have C/r."
            )


def _equal(group: Sequence[Bottlenecks]) -> Iterable[str]:
    for place, one in enumerate(group):
        for other in group[place + 1 :]:
            if one.variant.reduction == other.variant.reduction or one.variant.stages != other.variant.stages:
                continue
            equal = [stage for stage in sorted(one.widths) if other.widths.get(stage) == one.widths[stage]]
            if len(equal) == len(one.widths):
                yield (
                    f"{one.label} and {other.label} have equal bottleneck widths in every stage: they are one "
                    "network under two names, and a difference between them is chance."
                )
                continue
            for stage in equal:
                ratios = one.variant.reduction_in(stage), other.variant.reduction_in(stage)
                if ratios[0] != ratios[1]:
                    yield (
                        f"In stage {stage}, r = {ratios[0]} and r = {ratios[1]} have the same bottleneck width."
                    )
