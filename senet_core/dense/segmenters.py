"""Segmenters: torchvision's, with a trunk of this package."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from torch import Tensor, nn
from torchvision.models.segmentation import FCN, DeepLabV3
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from senet_core.dense.dilation import dilate
from senet_core.dense.tasks import SEGMENTERS
from senet_core.dense.trunk import Trunk, build_trunk
from senet_core.given import check_whole_number
from senet_core.randomness import drawing_from
from senet_core.variants.text import VariantLike


class LastMap(nn.Module):
    """A trunk of which the last map alone is taken, under the name that torchvision's segmenters ask for.

    Args:
        body: the trunk.

    Shapes:
        images: (N, 3, H, W); returns {"out": (N, channels, H / stride, W / stride)}.
    """

    def __init__(self, body: Trunk) -> None:
        super().__init__()
        self.body = body.taking([max(body.ends)])
        self.out_channels = body.channels[max(body.ends)]

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """Return the last map."""
        [found] = self.body(images).values()
        return OrderedDict(out=found)


def build_segmenter(
    name: str,
    backbone: str,
    variant: VariantLike = None,
    *,
    num_classes: int = 21,
    output_stride: int = 8,
    seed: int | None = None,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build one of torchvision's segmenters over a backbone with the SE blocks of a variant.

    The strides that take the trunk beyond `output_stride` are replaced by dilation, as in torchvision's own. Trunk,
    names and seeds are as in `build_detector`.

    Args:
        name: a registered segmenter: "fcn" or "deeplab-v3".
        backbone: as for `build_detector`.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        num_classes: with the background, which is class 0, at least 2.
        output_stride: pixels of the image between two positions of the last map, a power of 2; a trunk that strides
            less stays as it is.
        seed: None draws the weights from torch's global generator.
        weights: as for `build_detector`.

    Returns:
        A segmenter as torchvision has them: of (N, 3, H, W) it returns {"out": logits of (N, num_classes, H, W)}.

    Raises:
        UserError: a name is unknown, a number is out of range, or the backbone cannot be cut at the ends of its
            stages, or be dilated.
    """
    entry = SEGMENTERS[name]
    check_whole_number("num_classes, with the background,", num_classes, 2)
    trunk = build_trunk(backbone, variant, seed=seed, weights=weights)
    dilate(trunk, output_stride)
    with drawing_from(seed, "segmenter"):
        model: nn.Module = entry.build(trunk, num_classes=num_classes)
    return model


def fcn(trunk: Trunk, *, num_classes: int) -> FCN:
    """Build FCN; see `build_segmenter`."""
    body = LastMap(trunk)
    return FCN(body, FCNHead(body.out_channels, num_classes))


def deeplab_v3(trunk: Trunk, *, num_classes: int) -> DeepLabV3:
    """Build DeepLab v3; see `build_segmenter`."""
    body = LastMap(trunk)
    return DeepLabV3(body, DeepLabHead(body.out_channels, num_classes))
