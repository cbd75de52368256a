"""Costs of a network: parameters, multiply-adds, and the memory that training takes for each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from senet_core.backbones import find_backbone
from senet_core.blocks.slots import BLOCKS
from senet_core.insertion import bottleneck_widths
from senet_core.model import build_model
from senet_core.randomness import drawing_from
from senet_core.variants.text import VariantLike


@dataclass(frozen=True)
class Complexity:
    """The cost of one network.

    Attributes:
        parameters: learnable parameters; batch-norm running statistics are not counted.
        multiply_adds: multiply-adds of one forward pass of one image, in convolutions and matrix products
            (torch's flop counter, halved). The paper's GFLOPs are multiply-adds in this sense.
        bottleneck_widths: bottleneck units of every SE block, by stage; empty for a plain network.
    """

    parameters: int
    multiply_adds: int
    bottleneck_widths: dict[int, tuple[int, ...]]


def count_parameters(model: nn.Module) -> int:
    """Count learnable parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_multiply_adds(model: nn.Module, image_shape: tuple[int, int, int]) -> int:
    """Count the multiply-adds of one image in convolutions and matrix products.

    Args:
        model: a network on the meta device, in evaluation mode.
        image_shape: (C, H, W) in pixels.
    """
    counter = _Flops()
    with torch.device("meta"), torch.no_grad(), _WithoutNorms(), counter:
        model(torch.empty(1, *image_shape))
    return counter.total // 2


class _WithoutNorms(TorchFunctionMode):
    """Pass batch norms over: they keep the shape, count for nothing, and take half of the time on the meta device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func is nn.functional.batch_norm else func(*args, **(kwargs or {}))


class _Flops(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Add up torch's formulas. Torch's FlopCounterMode counts by module as well, which doubles its time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def measure_complexity(
    backbone: str,
    variant: VariantLike = None,
    *,
    image_shape: tuple[int, int, int] = (3, 224, 224),
    num_classes: int = 1000,
) -> Complexity:
    """Count parameters and multiply-adds of a network without computing or allocating anything.

    Args:
        backbone: a known backbone.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        image_shape: (C, H, W) in pixels.
        num_classes: outputs.

    Raises:
        UserError: a name is unknown.
    """
    model = outline(backbone, variant, in_channels=image_shape[0], num_classes=num_classes)
    widths = bottleneck_widths(model, find_backbone(backbone).stages)
    return Complexity(count_parameters(model), count_multiply_adds(model, image_shape), widths)


def measure_activations(
    backbone: str,
    variant: VariantLike = None,
    *,
    image_shape: tuple[int, int, int] = (3, 224, 224),
    num_classes: int = 1000,
) -> int:
    """Count the bytes for the backward pass that each image of a batch adds.

    What autograd saves in a float32 forward pass in training mode is taken at batches of two and three images,
    and the smaller taken from the larger: parameters and statistics, which do not grow with the batch, are not
    in it. A tensor that several operations save counts once. Nothing is computed or allocated. Workspaces of
    convolutions, gradients and optimiser state are not in it either.

    Args:
        backbone: a known backbone.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        image_shape: (C, H, W) in pixels.
        num_classes: outputs.

    Returns:
        Bytes for one image.

    Raises:
        UserError: a name is unknown.
    """
    model = outline(backbone, variant, in_channels=image_shape[0], num_classes=num_classes).train()
    return _saved_bytes(model, (3, *image_shape)) - _saved_bytes(model, (2, *image_shape))


def measure_block(name: str, *, channels: int, width: int, side: int) -> tuple[int, int]:
    """Count the parameters of a registered block by itself, and its multiply-adds of one map.

    Args:
        name: a registered block.
        channels: channels of the map.
        width: units of the bottleneck, where the block has one.
        side: of the square map, in positions.

    Returns:
        Parameters; multiply-adds in convolutions and matrix products.

    Raises:
        UserError: the name is not registered, or the block cannot be built for so many channels.
    """
    with torch.device("meta"):
        block = BLOCKS[name].build(channels, width=width).eval()
    return count_parameters(block), count_multiply_adds(block, (channels, side, side))


def outline(backbone: str, variant: VariantLike, *, in_channels: int, num_classes: int) -> nn.Module:
    """Build a network on the meta device, in evaluation mode: it has shapes and no values."""
    with torch.device("meta"):
        return build_model(backbone, variant, num_classes=num_classes, in_channels=in_channels).eval()


def _saved_bytes(model: nn.Module, shape: tuple[int, ...]) -> int:
    saved: dict[int, Any] = {}  # the storages are kept, so that an address is not used twice

    def pack(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda nothing: nothing)
    with torch.device("meta"), drawing_from(0, "noise"), hooks:
        model(torch.empty(shape))
    return sum(storage.nbytes() for storage in saved.values())
