"""The size of a network that is pruned, and whether it can be: nothing is computed, on the meta device."""

from __future__ import annotations

import torch
from torch import nn

from ablations.planning.networks.row import NetworkRow
from ablations.running.training.networks import data_shape
from senet_core.complexity import Complexity, count_multiply_adds, count_parameters, outline
from senet_core.errors import UserError
from senet_core.pruning.prune import prune_channels


class PrunedCosts:
    """Sizes of one row's network by ratio, each computed once.

    Args:
        row: that was trained.
    """

    def __init__(self, row: NetworkRow) -> None:
        self._row, self._shape = row, data_shape(row.data)
        self._known: dict[float, Complexity] = {}

    def of(self, ranking: str, ratio: float) -> Complexity:
        """Return the size, which is the same for every ranking.

        Raises:
            UserError: the network cannot be pruned, or not by this ranking, or nothing is removed.
        """
        if ranking == "gate" and self._row.variant is None:
            raise UserError(
                "ranking 'gate' needs SE blocks, and the networks are plain; give another row or ranking"
            )
        if ranking == "gate" and self._row.variant is not None and self._row.variant.block != "se":
            raise UserError(
                f"ranking 'gate' needs a gate for each channel, which block {self._row.variant.block!r} does not say;"
                " give another row or ranking"
            )
        if ratio not in self._known:
            self._known[ratio] = self._pruned(ratio)
        return self._known[ratio]

    def _pruned(self, ratio: float) -> Complexity:
        shape = self._shape
        model = outline(
            self._row.backbone,
            self._row.variant,
            in_channels=shape.image_shape[0],
            num_classes=shape.num_classes,
        )
        removed = prune_channels(model, ranking="random", ratio=ratio, image_shape=shape.image_shape)
        if not any(group.removed for group in removed):
            most = max(group.channels for group in removed)
            raise UserError(f"ratio {ratio:g} removes nothing: no layer has more than {most} channels")
        return Complexity(*size_of(model, shape.image_shape), {})


@torch.no_grad()
def size_of(model: nn.Module, image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Return parameters, and multiply-adds of one image, of a network on the meta device."""
    return count_parameters(model), count_multiply_adds(model.eval(), image_shape)
