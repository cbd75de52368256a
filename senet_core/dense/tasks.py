"""The registries of detectors and segmenters: their names, their sources, and what may be said of their size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from senet_core.blocks.registry import Registry
from senet_core.errors import UserError
from senet_core.given import check_whole_number

if TYPE_CHECKING:
    from torch import nn

DETECTORS = Registry("detector", traits={"anchor_scale": None, "masks": (True, False)})
"""Factories called as `build(trunk, num_classes=..., image_size=..., size=...)`.

`anchor_scale` is the side of the smallest anchor of a level over the level's stride, where nobody says it; `masks` is
whether it is trained on masks, too.
"""

SEGMENTERS = Registry("segmenter")
"""Factories called as `build(trunk, num_classes=...)`."""


@dataclass(frozen=True)
class DetectorSize:
    """What stands around the trunk of a detector, and how large it is.

    Attributes:
        channels: of the feature pyramid, at least 8; the hidden layers of the box head have four times as many.
        anchor_scale: side of the smallest anchor of a level over the level's stride, above 0; None for torchvision's.
        stages: whose ends the pyramid takes, in order; None for the last four.
        samples: boxes of each image that the second step of Faster and Mask R-CNN is trained on, at least 1.
        proposals: boxes of each image that the first step hands to the second, at least 1; twice as many in training.

    Raises:
        UserError: one is out of range.
    """

    channels: int = 256
    anchor_scale: float | None = None
    stages: tuple[int, ...] | None = None
    samples: int = 512
    proposals: int = 1000

    def __post_init__(self) -> None:
        check_whole_number("channels", self.channels, 8)
        if self.anchor_scale is not None and not self.anchor_scale > 0:
            raise UserError(f"anchor_scale must be above 0, got {self.anchor_scale!r}")
        for name in ("samples", "proposals"):
            check_whole_number(name, getattr(self, name))


def _lazy(module: str, function: str) -> Callable[..., nn.Module]:
    """Return a factory whose module, and torch with it, is imported when something is first built."""

    def build(*arguments: Any, **named: Any) -> nn.Module:
        model: nn.Module = getattr(import_module(f"senet_core.dense.{module}"), function)(*arguments, **named)
        return model

    return build


DETECTORS.register(
    "faster-rcnn",
    source="Ren et al. 2015, arXiv:1506.01497, on the pyramid of Lin et al. 2016, arXiv:1612.03144, of torchvision",
    anchor_scale=8.0,
    masks=False,
)(_lazy("detectors", "faster_rcnn"))
DETECTORS.register(
    "mask-rcnn",
    source="He et al. 2017, arXiv:1703.06870, on the same pyramid, of torchvision",
    anchor_scale=8.0,
    masks=True,
)(_lazy("detectors", "mask_rcnn"))
DETECTORS.register(
    "retinanet",
    source="Lin et al. 2017, arXiv:1708.02002, of torchvision",
    anchor_scale=4.0,
    masks=False,
)(_lazy("detectors", "retinanet"))
SEGMENTERS.register(
    "fcn",
    source="Long et al. 2014, arXiv:1411.4038, as torchvision builds it: a dilated trunk and one hidden layer",
    differs="without the auxiliary classifier",
)(_lazy("segmenters", "fcn"))
SEGMENTERS.register(
    "deeplab-v3",
    source="Chen et al. 2017, arXiv:1706.05587, as torchvision builds it, with rates 12, 24 and 36",
    differs="without the auxiliary classifier",
)(_lazy("segmenters", "deeplab_v3"))
