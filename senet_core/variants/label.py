"""What tables call a variant: a name in the manner of the paper's tables, or the one of its publication."""

from __future__ import annotations

from senet_core.variants.checks import joined
from senet_core.variants.published import published_in
from senet_core.variants.variant import PAPER_SE, SEVariant, reduction_text

PLAIN = "plain"
"""What the network without SE blocks is called."""

_INTEGRATION_LABELS = {
    "standard": "SE",
    "pre": "SE-PRE",
    "post": "SE-POST",
    "identity": "SE-Identity",
    "conv3x3": "SE_3x3",
}


def variant_label(variant: SEVariant | None) -> str:
    """Return a short name for tables and plots: "plain", "SE-PRE r=8", "ECA"."""
    if variant is None:
        return PLAIN
    known = published_in(variant)
    words = [_made_of(variant)] if known is None else [known.label]
    usual = {} if known is None else known.fields
    if known is not None and variant.integration != usual.get("integration", PAPER_SE.integration):
        words.append(variant.integration)
    if variant.reduction != PAPER_SE.reduction and variant.uses_reduction:
        words.append(f"r={reduction_text(variant.reduction)}")
    if variant.stages is not None:
        words.append(f"stage{'s' if len(variant.stages) > 1 else ''} {joined(variant.stages)}")
    if variant.units != usual.get("units", PAPER_SE.units):
        words.append("all units" if variant.units == "all" else f"{variant.units} unit")
    if variant.bias and known is None:
        words.append("bias")
    return " ".join(words)


def _made_of(variant: SEVariant) -> str:
    """Return what the block is made of, as far as it is not the paper's, and its place."""
    words = [_placed(variant)]
    if variant.squeeze != PAPER_SE.squeeze:
        words.append("NoSqueeze" if variant.squeeze == "none" else variant.squeeze)
    words += [
        getattr(variant, name)
        for name in ("excitation", "gate", "fusion", "gate_init")
        if getattr(variant, name) != getattr(PAPER_SE, name)
    ]
    if variant.opening is not None:
        words.append(f"opening {variant.opening:g}")
    return " ".join(words)


def _placed(variant: SEVariant) -> str:
    """Return the block's name and its place: "SE-PRE", "cbam", "bam post"."""
    if variant.block != PAPER_SE.block:
        return (
            variant.block
            if variant.integration == PAPER_SE.integration
            else f"{variant.block} {variant.integration}"
        )
    return _INTEGRATION_LABELS.get(variant.integration, f"SE-{variant.integration}")
