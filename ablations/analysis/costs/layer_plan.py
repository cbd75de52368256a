"""The paper's Table 1: the layer plan of three networks, read off the built ones and beside the printed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ablations.analysis.costs.paper_networks import BACKBONE, RELEASED_SE
from ablations.analysis.networks.published import paper_table
from senet_core.variants.variant import SEVariant

NETWORKS: dict[str, tuple[str, str, SEVariant | None]] = {
    "resnet_50": ("ResNet-50", BACKBONE, None),
    "se_resnet_50": ("SE-ResNet-50", BACKBONE, RELEASED_SE),
    "se_resnext_50": ("SE-ResNeXt-50", "resnext50_32x4d", RELEASED_SE),
}
"""Columns of Table 1: the paper's name of the network and how we build it."""
SIDE = 224


@dataclass(frozen=True)
class StagePlan:
    """A stage of a built network.

    Attributes:
        output_size: side of its map in positions, for an image of 224x224 pixels.
        repeats: its units.
        widths: the three convolutions of a unit, and the two layers of its gate: "64,64,256; fc 16,256".
    """

    output_size: int
    repeats: int
    widths: str


@dataclass(frozen=True)
class PlanRow:
    """A row of Table 1.

    Attributes:
        stage: its number.
        ours: plan by column of the paper's table.
        printed: "output size, repeats, widths" as the paper has them, by column.
    """

    stage: int
    ours: dict[str, StagePlan]
    printed: dict[str, StagePlan]

    @property
    def differs(self) -> tuple[str, ...]:
        """The columns in which ours is not the paper's."""
        return tuple(column for column in self.ours if self.ours[column] != self.printed[column])

    def to_json(self) -> dict[str, Any]:
        """Return both plans, for programs."""
        return {
            "stage": self.stage,
            "networks": {
                column: {"ours": vars(self.ours[column]), "paper": vars(self.printed[column])}
                for column in self.ours
            },
            "differs": list(self.differs),
        }


def layer_plan() -> list[PlanRow]:
    """Build the three networks of Table 1, without weights, and read their plans."""
    built = {column: stage_plans(backbone, variant) for column, (_, backbone, variant) in NETWORKS.items()}
    return [
        PlanRow(
            row["stage"],
            {column: built[column][row["stage"]] for column in NETWORKS},
            {column: StagePlan(row["output_size"], row["repeats"], row[column]) for column in NETWORKS},
        )
        for row in paper_table(1)["rows"]
    ]


def stage_plans(backbone: str, variant: SEVariant | None) -> dict[int, StagePlan]:
    """Read the stages of a network of bottleneck units: by number, where all units of a stage are alike.

    Units that differ are all written out, in order and with " | " between them.
    """
    import torch

    from senet_core.backbones import find_backbone
    from senet_core.complexity import outline
    from senet_core.insertion import units_at

    model = outline(backbone, variant, in_channels=3, num_classes=1000)
    sizes: dict[int, int] = {}
    units: dict[int, list[Any]] = {}
    for stage, place in find_backbone(backbone).stages.items():
        units[stage] = [unit for _, unit in units_at(model, place)]
        units[stage][-1].register_forward_hook(
            lambda module, given, out, stage=stage: sizes.update({stage: int(out.shape[-1])})
        )
    with torch.device("meta"), torch.no_grad():
        model(torch.empty(1, 3, SIDE, SIDE))
    return {
        stage: StagePlan(sizes[stage], len(found), " | ".join(dict.fromkeys(map(_widths, found))))
        for stage, found in units.items()
    }


def _widths(unit: Any) -> str:
    convolutions = ",".join(str(conv.out_channels) for conv in (unit.conv1, unit.conv2, unit.conv3))
    gate = unit._modules.get("se")
    if gate is None:
        return convolutions
    return f"{convolutions}; fc {gate.network.fc1.out_features},{gate.network.fc2.out_features}"
