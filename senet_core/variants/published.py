"""Published blocks by name: which fields of a variant make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from senet_core.variants.variant import PAPER_SE, PLACEMENT, SEVariant

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class PublishedBlock:
    """A block that somebody published.

    Attributes:
        label: what tables call it.
        fields: of a variant; what they leave out is the paper's, and where it stands may be anything.
        source: who published it.
    """

    label: str
    fields: Fields
    source: str

    def of(self, variant: SEVariant) -> SEVariant:
        """Return this block where a variant's block stands, with its reduction."""
        usual = {name: getattr(PAPER_SE, name) for name in _PIECES}
        return replace(variant, **{**usual, **self.fields})

    def is_of(self, variant: SEVariant) -> bool:
        """Return whether a variant is this block, wherever it stands."""
        return variant == self.of(variant)


_PIECES = tuple(field.name for field in fields(SEVariant) if field.name not in PLACEMENT)

PUBLISHED: dict[str, PublishedBlock] = {
    "ese": PublishedBlock(
        "eSE",
        {"gate": "full", "excitation": "hard-sigmoid", "bias": True},
        "Lee and Park 2020, arXiv:1911.06667",
    ),
    "eca": PublishedBlock("ECA", {"gate": "eca"}, "Wang et al. 2020, arXiv:1910.03151"),
    "ceca": PublishedBlock("CECA", {"gate": "ceca"}, "timm: ECA with circular padding"),
    "ge-theta-minus": PublishedBlock(
        "GE-theta-", {"squeeze": "ge4", "gate": "identity"}, "Hu et al. 2018, arXiv:1810.12348"
    ),
    "ge-theta": PublishedBlock(
        "GE-theta", {"squeeze": "ge4-theta", "gate": "identity"}, "Hu et al. 2018, arXiv:1810.12348"
    ),
    "ge-theta-plus": PublishedBlock(
        "GE-theta+", {"squeeze": "ge4-theta"}, "Hu et al. 2018, arXiv:1810.12348"
    ),
    "tse": PublishedBlock("TSE", {"squeeze": "tiles4"}, "Vosco et al. 2021, arXiv:2107.02145"),
    "srm": PublishedBlock("SRM", {"squeeze": "mean-std", "gate": "srm"}, "Lee et al. 2019, arXiv:1903.10829"),
    "gct": PublishedBlock(
        "GCT (gated)",
        {"squeeze": "l2", "gate": "gct", "excitation": "one-plus-tanh", "bias": True},
        "Yang et al. 2020, arXiv:1909.11519",
    ),
    "gct-gaussian": PublishedBlock(
        "GCT (Gaussian)", {"gate": "channel-norm", "excitation": "gaussian"}, "Ruan et al. 2021, CVPR"
    ),
    "lct": PublishedBlock("LCT", {"gate": "lct4", "bias": True}, "Ruan et al. 2020, arXiv:1909.03834"),
    "fca": PublishedBlock("FcaNet", {"squeeze": "fca-top16"}, "Qin et al. 2021, arXiv:2012.11879"),
    "simam": PublishedBlock("SimAM", {"squeeze": "simam", "gate": "identity"}, "Yang et al. 2021, ICML"),
    "nam": PublishedBlock("NAM", {"squeeze": "none", "gate": "nam"}, "Liu et al. 2021, arXiv:2111.12419"),
    "sge": PublishedBlock("SGE", {"squeeze": "sge4", "gate": "identity"}, "Li et al. 2019, arXiv:1905.09646"),
    "gc": PublishedBlock(
        "GC",
        {
            "squeeze": "context",
            "gate": "gc",
            "excitation": "linear",
            "fusion": "add",
            "bias": True,
            "gate_init": "zeros-last",
        },
        "Cao et al. 2019, arXiv:1904.11492",
    ),
    "sse": PublishedBlock(
        "sSE", {"squeeze": "none", "gate": "sse", "bias": True}, "Roy et al. 2018, arXiv:1803.02579"
    ),
    "cbam-channel": PublishedBlock(
        "CBAM (channel)", {"squeeze": "avg-max"}, "Woo et al. 2018, arXiv:1807.06521, equation 2"
    ),
    "cbam": PublishedBlock("CBAM", {"block": "cbam"}, "Woo et al. 2018, arXiv:1807.06521"),
    "bam": PublishedBlock(
        "BAM", {"block": "bam", "integration": "post", "units": "last"}, "Park et al. 2018, arXiv:1807.06514"
    ),
    "scse": PublishedBlock("scSE", {"block": "scse"}, "Roy et al. 2018, arXiv:1803.02579"),
    "coordinate": PublishedBlock("CoordAtt", {"block": "coordinate"}, "Hou et al. 2021, arXiv:2103.02907"),
    "triplet": PublishedBlock("Triplet", {"block": "triplet"}, "Misra et al. 2020, arXiv:2010.03045"),
    "ema": PublishedBlock("EMA", {"block": "ema"}, "Ouyang et al. 2023, arXiv:2305.13563"),
}
"""Published blocks, by the names that studies use."""


@cache
def published_in(variant: SEVariant) -> PublishedBlock | None:
    """Return the published block that a variant is; None for the paper's own, and for what nobody published."""
    return next((block for block in PUBLISHED.values() if block.is_of(variant)), None)
