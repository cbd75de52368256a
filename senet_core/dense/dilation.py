"""Dilation: the last stages of a trunk keep the resolution that they would halve, and their convolutions reach as far.

A convolution with a stride of 2 gets a stride of 1, and those that follow it read positions twice as far apart, as in
torchvision's `replace_stride_with_dilation`. The weights are the same ones.

Source: Yu and Koltun 2015, arXiv:1511.07122; Chen et al. 2017, arXiv:1706.05587, section 3.1.
"""

from __future__ import annotations

from torch import nn

from senet_core.backbones import find_backbone
from senet_core.dense.trunk import SIDE, Trunk
from senet_core.errors import UserError
from senet_core.insertion import units_at

_ONE, _TWO = (1, 1), (2, 2)


def dilate(trunk: Trunk, output_stride: int) -> None:
    """Make the strides of a trunk's stages end at `output_stride`, in place.

    Args:
        trunk: with all stages returned.
        output_stride: pixels of the image between two positions of the last map, at least 1; a trunk whose last stride
            is at most that stays as it is.

    Raises:
        UserError: it is no power of 2, or stages that would have to be dilated halve their maps by something else than
            convolutions.
    """
    if type(output_stride) is not int or output_stride < 1 or output_stride & (output_stride - 1):
        raise UserError(f"output_stride must be a power of 2, such as 8, got {output_stride!r}")
    stages, reach = find_backbone(trunk.backbone).stages, 1
    for number, stride in trunk.strides.items():
        if stride <= output_stride:
            continue
        reach *= 2
        strided = 0
        for _, unit in units_at(trunk.network, stages[number]):
            inner = [layer for layer in unit.modules() if isinstance(layer, nn.Conv2d)]
            halves = any(tuple(layer.stride) == _TWO for layer in inner)
            for layer in inner:
                _dilate(layer, reach // 2 if halves else reach)
            strided += halves
        if strided != 1 or not _keeps_its_side(trunk, output_stride, number):
            raise UserError(
                f"backbone {trunk.backbone!r} does not halve its maps in stage {number} by convolutions alone, so it"
                f" cannot be dilated: give output_stride={trunk.strides[max(trunk.strides)]}, its own"
            )


def _dilate(layer: nn.Conv2d, reach: int) -> None:
    """Take a convolution's stride, and set how far apart the positions are that it reads."""
    layer.stride = _ONE
    rows, columns = layer.kernel_size
    if (rows, columns) != _ONE:
        layer.dilation = (reach, reach)
        layer.padding = (reach * (rows // 2), reach * (columns // 2))


def _keeps_its_side(trunk: Trunk, output_stride: int, number: int) -> bool:
    """Return whether the end of a stage has the resolution that it should have by now."""
    try:
        _, side = trunk.measured()[number]
    except RuntimeError:  # of a shortcut that still halves
        return False
    return side * output_stride == SIDE
