"""Parameters and multiply-adds of the paper's networks, ours beside the paper's."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.analyse.reference import paper_table
from senet_core.errors import unknown
from senet_core.variant import PAPER_SE, SEVariant

BACKBONE = "resnet50-v1"

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


@dataclass(frozen=True)
class PaperNetwork:
    """A network whose cost the paper prints.

    Attributes:
        row: how the paper names it.
        backbone: how we build it.
        variant: None for the plain network.
        parameters_millions, giga_multiply_adds: as printed; None where the table does not say.
        image_size: side of the image that the multiply-adds are for, in pixels.
    """

    row: str
    backbone: str
    variant: SEVariant | None
    parameters_millions: float | None
    giga_multiply_adds: float | None
    image_size: int = 224


def paper_networks(name: str) -> list[PaperNetwork]:
    """Return the networks of a table of the paper.

    Args:
        name: "table_10", or its number.

    Raises:
        UserError: the table has no costs, or does not exist.
    """
    number = name.removeprefix("table_")
    if number not in map(str, _SECTION_6):
        raise unknown("table of the paper", name, [f"table_{known}" for known in _SECTION_6])
    table = paper_table(int(number))
    key = table["columns"][0]
    return [
        PaperNetwork(
            row=str(row[key]),
            backbone=BACKBONE,
            variant=_SECTION_6[int(number)][row[key]],
            parameters_millions=row.get("params_m"),
            giga_multiply_adds=row.get("gflops"),
        )
        for row in table["rows"]
    ]
