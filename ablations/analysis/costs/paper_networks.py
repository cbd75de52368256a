"""The networks whose cost the paper prints, with its figures and our reasons where ours differ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ablations.analysis.networks.published import paper_table
from senet_core.backbones import BACKBONES, find_backbone
from senet_core.errors import unknown
from senet_core.variants.variant import PAPER_SE, SEVariant

BACKBONE = "resnet50-v1"
RELEASED_SE = replace(PAPER_SE, bias=True)
"""The SE block of Tables 2 and 3: the authors' released networks have biases, those of section 6 have none."""

_SECTION_6: dict[int, dict[object, SEVariant | None]] = {
    10: {**{r: SEVariant(reduction=r) for r in (2, 4, 8, 16, 32)}, "original": None},
    13: {
        "ResNet-50": None,
        "SE_Stage_2": SEVariant(stages=(2,)),
        "SE_Stage_3": SEVariant(stages=(3,)),
        "SE_Stage_4": SEVariant(stages=(4,)),
        "SE_All": PAPER_SE,
    },
    15: {"SE": PAPER_SE, "SE_3x3": SEVariant(integration="conv3x3")},
    16: {"ResNet-50": None, "NoSqueeze": SEVariant(squeeze="none"), "SE": PAPER_SE},
}
_MODELS: dict[int, dict[str, tuple[str, ...]]] = {
    2: {
        "ResNet-50": (BACKBONE,),
        "ResNet-101": ("resnet101-v1",),
        "ResNet-152": ("resnet152-v1",),
        "ResNeXt-50": ("resnext50_32x4d",),
        "ResNeXt-101": ("resnext101_32x4d",),
        "VGG-16": ("vgg16_bn",),
        "BN-Inception": ("bn-inception",),
        "Inception-ResNet-v2": ("inception-resnet-v2-5-20-5", "inception-resnet-v2"),
    },
    3: {"MobileNet": ("mobilenet-v1",), "ShuffleNet": ("shufflenet-v1-g3",)},
}
TABLES = tuple(sorted({*_SECTION_6, *_MODELS}))
"""Numbers of the tables that print parameters or multiply-adds."""

_CPU_MILLISECONDS = {None: 164.0, RELEASED_SE: 167.0}
"""Section 4: one 224x224 image through ResNet-50 and SE-ResNet-50 on a processor that the paper does not name."""
_SHUFFLENET = (
    "140 M is a round figure of the ShuffleNet paper; a direct count of the convolutions of its Table 1 gives"
    " 137.5 M"
)
_SHUFFLENET_SE = (
    f"{_SHUFFLENET}. The 2 M that the paper adds for SE fit a count that includes the scaling of the maps (1.7 M), "
    "which is neither a convolution nor a matrix product and not counted here"
)


@dataclass(frozen=True)
class PaperNetwork:
    """A network whose cost the paper prints.

    Attributes:
        row: how the paper names it.
        backbone: how we build it.
        variant: None for the plain network.
        parameters_millions, giga_multiply_adds: as printed; None where the table does not say.
        image_size: side of the image that the multiply-adds are for, in pixels.
        cpu_milliseconds: the paper's time for one image on a processor; None where it says none.
        reason: why our figures differ from the paper's, where they do.
    """

    row: str
    backbone: str
    variant: SEVariant | None
    parameters_millions: float | None = None
    giga_multiply_adds: float | None = None
    image_size: int = 224
    cpu_milliseconds: float | None = None
    reason: str = ""


def table_number(name: str) -> int:
    """Read "table_10", or "10".

    Raises:
        UserError: the paper has no such table, or the table has no networks with costs or plans.
    """
    digits = name.removeprefix("table_")
    known = (1, *TABLES)
    if digits not in map(str, known):
        raise unknown("table of the paper", name, [f"table_{number}" for number in known])
    return int(digits)


def paper_networks(number: int) -> list[PaperNetwork]:
    """Return the networks of a table of the paper in its order, each plain network before its SE counterpart.

    Args:
        number: one of `TABLES`.
    """
    rows = paper_table(number)["rows"]
    if number in _SECTION_6:
        key = paper_table(number)["columns"][0]
        return [
            PaperNetwork(
                row=f"r = {row[key]}" if isinstance(row[key], int) else str(row[key]),
                backbone=BACKBONE,
                variant=_SECTION_6[number][row[key]],
                parameters_millions=row.get("params_m"),
                giga_multiply_adds=row.get("gflops"),
            )
            for row in rows
        ]
    return [
        _model(row, backbone, variant)
        for row in rows
        for backbone in _MODELS[number][row["model"]]
        for variant in (None, RELEASED_SE)
    ]


def find_paper_network(backbone: str, variant: SEVariant | None) -> PaperNetwork | None:
    """Find the paper's figures for a network; biases of the gates, which the paper's tables do not name, apart."""
    for number in TABLES:
        for network in paper_networks(number):
            if network.backbone == backbone and _unbiased(network.variant) == _unbiased(variant):
                return network
    return None


def _model(row: dict[str, object], backbone: str, variant: SEVariant | None) -> PaperNetwork:
    kind = "base" if variant is None else "se"
    giga, mega = row.get(f"{kind}_gflops"), row.get(f"{kind}_mflops")
    name = row["model"] if variant is None else f"SE-{row['model']}"
    if backbone == "inception-resnet-v2":
        name = f"{name} (released)"
    reasons = _REASONS.get(backbone, ("", ""))
    return PaperNetwork(
        row=str(name),
        backbone=backbone,
        variant=variant,
        parameters_millions=_number(row.get(f"{kind}_params_m")),
        giga_multiply_adds=_number(giga, 1) if mega is None else _number(mega, 1e-3),
        image_size=find_backbone(backbone).image_size,
        cpu_milliseconds=_CPU_MILLISECONDS[variant] if backbone == BACKBONE else None,
        reason=reasons[variant is not None],
    )


def _number(value: object, scale: float = 1) -> float | None:
    return round(value * scale, 6) if isinstance(value, (int, float)) else None


def _unbiased(variant: SEVariant | None) -> SEVariant | None:
    return None if variant is None else replace(variant, bias=False)


def _said(backbone: str) -> str:
    return BACKBONES[backbone].differs


_RELEASED = f"{_said('inception-resnet-v2')}; the printed figure fits inception-resnet-v2-5-20-5"
_REASONS: dict[str, tuple[str, str]] = {
    "inception-resnet-v2": (_RELEASED, _RELEASED),
    "inception-resnet-v2-5-20-5": (_said("inception-resnet-v2-5-20-5"), _said("inception-resnet-v2-5-20-5")),
    "shufflenet-v1-g3": (_SHUFFLENET, _SHUFFLENET_SE),
}
"""Why our figures differ, by backbone: of the plain network, and of its SE counterpart."""
