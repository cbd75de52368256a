"""Detectors: torchvision's, with a trunk of this package under a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool, LastLevelP6P7

from senet_core.dense.tasks import DETECTORS, DetectorSize
from senet_core.dense.trunk import Trunk, build_trunk
from senet_core.errors import UserError
from senet_core.given import check_whole_number
from senet_core.randomness import drawing_from
from senet_core.variants.text import VariantLike

_RATIOS = (0.5, 1.0, 2.0)
_OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
_ROI_SIDE, _MASK_SIDE, _MASK_LAYERS = 7, 14, 4


class PyramidTrunk(nn.Module):
    """A trunk and the feature pyramid over its maps.

    Args:
        body: the trunk.
        fpn: the pyramid.
        strides: of its levels, in order.

    Attributes:
        out_channels: of every level.

    Shapes:
        images: (N, 3, H, W); returns a dict of level to (N, out_channels, H / stride, W / stride).
    """

    def __init__(self, body: Trunk, fpn: FeaturePyramidNetwork, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.body, self.fpn, self.strides = body, fpn, strides
        self.out_channels: int = fpn.layer_blocks[0][0].out_channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the levels."""
        levels: dict[str, Tensor] = self.fpn(self.body(images))
        return levels


def build_detector(
    name: str,
    backbone: str,
    variant: VariantLike = None,
    *,
    num_classes: int = 91,
    image_size: int | tuple[int, int] = (800, 1333),
    size: DetectorSize | None = None,
    seed: int | None = None,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build one of torchvision's detectors over a backbone with the SE blocks of a variant.

    With one seed, plain network and variants have the same weights everywhere but in the blocks. The trunk is
    `backbone.body` of the detector; its `network` has the names of the classifier's state dict.

    Args:
        name: a registered detector: "faster-rcnn", "mask-rcnn" or "retinanet".
        backbone: a known backbone whose stages halve their maps, and end before a linear classifier.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        num_classes: with the background, which is class 0, at least 2.
        image_size: pixels to which the shorter side of an image is scaled, and that its longer side may have at most;
            a single number is both.
        size: of pyramid, anchors and heads; None for torchvision's.
        seed: None draws the weights from torch's global generator.
        weights: of a classifier to start the trunk from, as for `build_model`, with any number of classes.

    Returns:
        A detector as torchvision has them: it takes a list of images (3, H, W) with values from 0 to 1, normalised
        inside by ImageNet's mean and deviation, and a list of targets in training.

    Raises:
        UserError: a name is unknown, a number is out of range, or the backbone cannot be cut at the ends of its
            stages.
    """
    entry, size = DETECTORS[name], size or DetectorSize()
    check_whole_number("num_classes, with the background,", num_classes, 2)
    sides = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    if any(type(side) is not int or side < 1 for side in sides) or sides[0] > sides[1]:
        raise UserError(f"image_size must be pixels, or (shorter, longer side at most), got {image_size!r}")
    trunk = build_trunk(backbone, variant, seed=seed, weights=weights)
    scale = entry.traits["anchor_scale"] if size.anchor_scale is None else size.anchor_scale
    with drawing_from(seed, "detector"):
        model: nn.Module = entry.build(
            trunk, num_classes=num_classes, image_size=sides, size=replace(size, anchor_scale=scale)
        )
    return model


def faster_rcnn(
    trunk: Trunk, *, num_classes: int, image_size: tuple[int, int], size: DetectorSize
) -> FasterRCNN:
    """Build Faster R-CNN; see `build_detector`."""
    return FasterRCNN(**_two_steps(trunk, num_classes, image_size, size))


def mask_rcnn(trunk: Trunk, *, num_classes: int, image_size: tuple[int, int], size: DetectorSize) -> MaskRCNN:
    """Build Mask R-CNN, whose mask head has layers of the pyramid's width; see `build_detector`."""
    width, parts = size.channels, _two_steps(trunk, num_classes, image_size, size)
    return MaskRCNN(
        **parts,
        mask_roi_pool=_pool(trunk, _MASK_SIDE),
        mask_head=MaskRCNNHeads(width, (width,) * _MASK_LAYERS, 1),
        mask_predictor=MaskRCNNPredictor(width, width, num_classes),
    )


def retinanet(
    trunk: Trunk, *, num_classes: int, image_size: tuple[int, int], size: DetectorSize
) -> RetinaNet:
    """Build RetinaNet, whose pyramid takes the last three stages; see `build_detector`."""
    extra = LastLevelP6P7(size.channels, size.channels)
    pyramid = _pyramid(trunk, size, extra, stages=3, added=2)
    return RetinaNet(
        pyramid,
        num_classes,
        min_size=image_size[0],
        max_size=image_size[1],
        anchor_generator=_anchors(pyramid, size, _OCTAVE),
    )


def _two_steps(
    trunk: Trunk, num_classes: int, image_size: tuple[int, int], size: DetectorSize
) -> dict[str, Any]:
    """Return what Faster and Mask R-CNN have in common."""
    pyramid = _pyramid(trunk, size, LastLevelMaxPool(), stages=4, added=1)
    hidden = 4 * size.channels
    return {
        "backbone": pyramid,
        "min_size": image_size[0],
        "max_size": image_size[1],
        "rpn_anchor_generator": _anchors(pyramid, size, (1.0,)),
        "box_roi_pool": _pool(trunk, _ROI_SIDE),
        "box_head": TwoMLPHead(size.channels * _ROI_SIDE**2, hidden),
        "box_predictor": FastRCNNPredictor(hidden, num_classes),
        "box_batch_size_per_image": size.samples,
        "rpn_post_nms_top_n_train": 2 * size.proposals,
        "rpn_post_nms_top_n_test": size.proposals,
    }


def _pool(trunk: Trunk, side: int) -> MultiScaleRoIAlign:
    """Return the pooling of boxes from the trunk's levels."""
    return MultiScaleRoIAlign([str(stage) for stage in trunk.returned], output_size=side, sampling_ratio=2)


def _pyramid(
    trunk: Trunk, size: DetectorSize, extra: ExtraFPNBlock, *, stages: int, added: int
) -> PyramidTrunk:
    """Build the pyramid over the last stages, or those that are asked for, with levels of further strides added."""
    trunk.taking(size.stages or tuple(trunk.ends)[-stages:])
    strides = [trunk.strides[stage] for stage in trunk.returned]
    strides += [strides[-1] * 2**level for level in range(1, added + 1)]
    channels = [trunk.channels[stage] for stage in trunk.returned]
    return PyramidTrunk(trunk, FeaturePyramidNetwork(channels, size.channels, extra), tuple(strides))


def _anchors(pyramid: PyramidTrunk, size: DetectorSize, octave: Sequence[float]) -> AnchorGenerator:
    """Return the anchors of every level: squares of whole pixels, and two shapes of the same area."""
    assert size.anchor_scale is not None
    sides = tuple(
        tuple(max(1, int(size.anchor_scale * stride * part)) for part in octave) for stride in pyramid.strides
    )
    return AnchorGenerator(sides, (_RATIOS,) * len(sides))
