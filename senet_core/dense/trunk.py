"""Trunk: a classifier cut at the ends of its stages, whose maps detectors and segmenters take."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from senet_core.backbones import find_backbone
from senet_core.errors import UserError, unknown
from senet_core.insertion import units_at
from senet_core.model import build_model
from senet_core.variants.text import VariantLike
from senet_core.weights import load_weights

SIDE = 256
"""Side in pixels of the image whose way through a trunk is followed; nothing is computed."""


class Trunk(nn.Module):
    """A classifier without its last layers, which returns its maps at the ends of stages.

    Args:
        network: of `build_model`; its classifier is taken off, in place.
        backbone: its name.

    Attributes:
        network: the classifier, with the names of its state dict but for the layers that were taken off.
        ends: stage number to the path of the stage's last unit.
        channels: stage number to the channels at its end.
        strides: stage number to the pixels of the image between two positions at its end.
        returned: the stages whose maps are returned, in order; all at first.

    Shapes:
        images: (N, C, H, W), with H and W multiples of the last stride; returns a dict of stage number, as text, to
        (N, channels, H / stride, W / stride).

    Raises:
        UserError: layers other than a linear classifier follow the last stage, or a stage's stride is not twice that
            of the stage before.
    """

    def __init__(self, network: nn.Module, backbone: str) -> None:
        super().__init__()
        self.backbone = backbone
        stages = find_backbone(backbone).stages
        self.ends = {number: list(units_at(network, place))[-1][0] for number, place in stages.items()}
        _take_classifier_off(network, tuple(self.ends.values()), backbone)
        self.network = network
        self.returned = tuple(self.ends)
        self._frozen = False
        found = self.measured()
        self.channels = {stage: channels for stage, (channels, _) in found.items()}
        sides = self._checked([side for _, side in found.values()])
        self.strides = {stage: SIDE // side for stage, side in zip(found, sides, strict=True)}

    def taking(self, stages: Sequence[int]) -> Trunk:
        """Return the trunk itself, which from now on returns the maps of some stages.

        Raises:
            UserError: it has no such stage, or they are not in order.
        """
        for stage in stages:
            if stage not in self.ends:
                raise unknown(f"stage of {self.backbone}", stage, self.ends)
        if not stages or list(stages) != sorted(set(stages)):
            raise UserError(f"stages of a pyramid are named once each and in order, got {list(stages)!r}")
        self.returned = tuple(stages)
        return self

    def freeze_norms(self) -> None:
        """Keep scales, shifts and statistics of all batch norms as they are, in training, too."""
        self._frozen = True
        for layer in self._norms():
            layer.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Trunk:
        """Set the mode; frozen batch norms stay in that of evaluation."""
        super().train(mode)
        if self._frozen:
            for layer in self._norms():
                layer.eval()
        return self

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """Return the maps at the ends of the stages in `returned`."""
        found: dict[int, Tensor] = {}
        # for this call alone: a hook that stayed would write into this trunk from a copy of it
        hooks = [self._keep(stage, found) for stage in self.returned]
        try:
            self.network(images)
        finally:
            for hook in hooks:
                hook.remove()
        return OrderedDict((str(stage), found[stage]) for stage in self.returned)

    def _keep(self, stage: int, found: dict[int, Tensor]) -> RemovableHandle:
        def keep(unit: nn.Module, taken: object, given: Tensor) -> None:
            found[stage] = given

        return self.network.get_submodule(self.ends[stage]).register_forward_hook(keep)

    def _norms(self) -> list[nn.BatchNorm2d]:
        return [layer for layer in self.network.modules() if isinstance(layer, nn.BatchNorm2d)]

    def measured(self) -> dict[int, tuple[int, int]]:
        """Return channels and side at the ends of the returned stages, of an image of 256 pixels; nothing is computed.

        Raises:
            RuntimeError: maps that the network adds do not fit.
        """
        outline = copy.deepcopy(self).to("meta").eval()
        first = next(layer for layer in outline.network.modules() if isinstance(layer, nn.Conv2d))
        with torch.device("meta"), torch.no_grad():
            maps = outline(torch.empty(1, first.in_channels, SIDE, SIDE))
        return {int(stage): (found.shape[1], found.shape[-1]) for stage, found in maps.items()}

    def _checked(self, sides: list[int]) -> list[int]:
        """Return the sides of the maps, each of which is half of the one before and divides that of the image."""
        if SIDE % sides[0] or any(one != 2 * other for one, other in pairwise(sides)):
            raise UserError(
                f"backbone {self.backbone!r} makes no feature pyramid: of an image of {SIDE} pixels the maps at the"
                f" ends of its stages {', '.join(map(str, self.ends))} have sides of"
                f" {', '.join(map(str, sides))}, and each must be half of the one before"
            )
        return sides


def build_trunk(
    backbone: str,
    variant: VariantLike = None,
    *,
    seed: int | None = None,
    weights: str | Path | None = None,
) -> Trunk:
    """Build a trunk, whose weights are those of `build_model` with the same seed and one class.

    Args:
        backbone: a known backbone.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        seed: None draws the weights from torch's global generator.
        weights: of a classifier, as for `build_model`, with any number of classes.

    Raises:
        UserError: as for `build_model` and `Trunk`.
    """
    network = build_model(backbone, variant, num_classes=1, seed=seed)
    if weights is not None:
        load_weights(network, weights, backbone=backbone, new_classifier=True)
    return Trunk(network, backbone)


def _take_classifier_off(network: nn.Module, ends: Collection[str], backbone: str) -> None:
    """Replace the children that follow the last stage and have weights, which must be linear layers."""
    names = [name for name, _ in network.named_children()]
    last = max(names.index(path.partition(".")[0]) for path in ends)
    for name in names[last + 1 :]:
        layers = [
            layer
            for layer in network.get_submodule(name).modules()
            if [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
        ]
        if not all(isinstance(layer, nn.Linear) for layer in layers):
            raise UserError(
                f"backbone {backbone!r} cannot be cut at the ends of its stages: its classifier reads the last of them"
                f" through {name!r}, which a detector would lose"
            )
        if layers:
            setattr(network, name, nn.Identity())
