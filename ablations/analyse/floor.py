"""Where the bottleneck's floor of one unit makes two reductions the same, from the recorded widths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ablations.analyse.families import Outcome
from senet_core.variant import SEVariant


def width_text(widths: Mapping[int, int]) -> str | None:
    """Write bottleneck units by stage: "1/2/4"; None where there are none."""
    return "/".join(str(widths[stage]) for stage in sorted(widths)) or None


def width_notes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Say where the floor of one unit acts, and which reductions have equal widths.

    Args:
        outcomes: rows of one table; those without recorded widths are passed over.

    Returns:
        Sentences, without markup.
    """
    groups: dict[tuple[str, str], list[tuple[SEVariant, Outcome]]] = defaultdict(list)
    for outcome in outcomes:
        variant = outcome.cell.variant
        if variant is not None and outcome.widths:
            others = replace(variant, reduction=1, stages=None)
            groups[outcome.cell.backbone, str(others)].append((variant, outcome))
    notes: dict[str, None] = {}  # a grid has each reduction many times and needs each sentence once
    for group in groups.values():
        notes |= dict.fromkeys([*_floor_notes(group), *_equality_notes(group)])
    return tuple(notes)


def _floor_notes(group: list[tuple[SEVariant, Outcome]]) -> list[str]:
    """A width w under r means fewer than (w + 1) r channels; a larger r then has the floor's one unit."""
    most: dict[int, int] = {}
    for variant, outcome in group:
        for stage, width in outcome.widths.items():
            channels = (width + 1) * variant.reduction_in(stage) - 1
            most[stage] = min(channels, most.get(stage, channels))
    return [
        f"Stage {stage} has fewer than r = {ratio} channels: the bottleneck has one unit there, the "
        f"least possible, "
        "and not the C/r of the paper."
        for variant, outcome in group
        for stage in sorted(outcome.widths)
        for ratio in [variant.reduction_in(stage)]
        if most[stage] < ratio
    ]


def _equality_notes(group: list[tuple[SEVariant, Outcome]]) -> list[str]:
    notes = []
    for place, (variant, outcome) in enumerate(group):
        for other_variant, other in group[place + 1 :]:
            if variant.reduction == other_variant.reduction or variant.stages != other_variant.stages:
                continue
            equal = [
                stage for stage in sorted(outcome.widths) if other.widths.get(stage) == outcome.widths[stage]
            ]
            if len(equal) == len(outcome.widths):
                notes.append(
                    f"{outcome.label} and {other.label} have equal bottleneck widths in every "
                    f"stage: they are one "
                    "network under two names, and a difference between them is chance."
                )
                continue
            for stage in equal:
                ratios = variant.reduction_in(stage), other_variant.reduction_in(stage)
                if ratios[0] != ratios[1]:
                    notes.append(
                        f"In stage {stage}, r = {ratios[0]} and r = {ratios[1]} have the same "
                        f"bottleneck width."
                    )
    return notes
