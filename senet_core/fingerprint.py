"""Fingerprints: what a network is made of and what it computes, whatever its name.

Two variants may be one network under two names: a reduction that is floored to the same width, a field that
the chosen gate does not read, a plug-in that does what a built-in entry does. An ablation between them
measures chance. Equal fingerprints show it before anything is trained.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from senet_core.backbones import find_backbone
from senet_core.blocks.slots import INTEGRATIONS
from senet_core.blocks.unit_block import UnitBlock
from senet_core.complexity import count_multiply_adds, count_parameters, outline
from senet_core.insertion import bottleneck_widths, units_at
from senet_core.latency import using_threads
from senet_core.model import build_model
from senet_core.randomness import drawing_from, stream_seed
from senet_core.units import SEUnit
from senet_core.variants.text import VariantLike

IMAGES = 2
SMALL_SIDES = (16, 64, 160)
"""Sides of the images that the function is computed on, in pixels: the first that is large enough for the network."""
DIGITS = 4
"""Significant digits of a hashed number, counted from the largest output of the network.

Another processor, another layout in memory or a plug-in that sums in another order gives other last digits. The
outputs of a ResNet-20 then differ by 2e-15 of the largest one in float64, far from a rounding step of 1e-4: two
machines agree. In float32 they differ by 9e-7, so that one output in a hundred would be rounded to another
number and every third hash be another one.
"""
GATE_GAIN = 2.0
"""Gate weights are so many times larger than is usual, so that logits reach where excitations bend."""


@dataclass(frozen=True)
class Structure:
    """What a network is made of, read from the meta device: nothing is computed.

    Attributes:
        widths: (stage, bottleneck units of every SE block in order); none where its gate does not read its width.
        gates: (path of the unit, what its block weighs: "in", "inner" or "out").
        channels: (stage, channels that every SE block weighs).
        parameters: learnable parameters.
        multiply_adds: of one image, see `Complexity`.
        least_side: height or width of the smallest map that leaves a unit, in positions.
    """

    widths: tuple[tuple[int, tuple[int, ...]], ...]
    gates: tuple[tuple[str, str], ...]
    channels: tuple[tuple[int, tuple[int, ...]], ...]
    parameters: int
    multiply_adds: int
    least_side: int


@dataclass(frozen=True)
class Fingerprint:
    """What a network is and computes. Networks with equal fingerprints are one network, whatever their names.

    Widths and places are for people and are not compared: two gates that differ in a width which they do not
    read are equal, and whatever a width or a place changes changes the function.

    Attributes:
        widths: (stage, bottleneck units of every SE block in order).
        gates: (path of the unit, what its block weighs: "in", "inner" or "out").
        parameters: learnable parameters.
        multiply_adds: of one image, see `Complexity`.
        function: 16 hexadecimal digits: the outputs for fixed images with fixed weights, in evaluation mode. It
            is the same on every machine.
        training: 16 hexadecimal digits: initial weights of seed 0, and outputs and gradients in training mode,
            where networks differ that start differently, drop out or shake. Only to be compared on one machine.
    """

    widths: tuple[tuple[int, tuple[int, ...]], ...] = field(compare=False)
    gates: tuple[tuple[str, str], ...] = field(compare=False)
    parameters: int
    multiply_adds: int
    function: str
    training: str


def structure(
    backbone: str,
    variant: VariantLike = None,
    *,
    num_classes: int = 1000,
    image_shape: tuple[int, int, int] = (3, 224, 224),
) -> Structure:
    """Return a network's structure, without computing or allocating anything.

    Args:
        backbone: a known backbone.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        num_classes: outputs.
        image_shape: (C, H, W) in pixels.

    Raises:
        UserError: a name is unknown.
    """
    places = find_backbone(backbone).stages
    model = outline(backbone, variant, in_channels=image_shape[0], num_classes=num_classes)
    units = {stage: [unit for _, unit in units_at(model, place)] for stage, place in places.items()}
    channels = {
        stage: tuple(unit.se.channels for unit in found if isinstance(unit, SEUnit))
        for stage, found in units.items()
    }
    sides: list[int] = []
    for unit in (unit for found in units.values() for unit in found):
        unit.register_forward_hook(lambda module, given, out: sides.append(min(out.shape[-2:])))
    return Structure(
        widths=tuple(bottleneck_widths(model, places).items()),
        gates=tuple(
            (path, INTEGRATIONS[unit.integration].traits["gates"])
            for path, unit in model.named_modules()
            if isinstance(unit, SEUnit)
        ),
        channels=tuple((stage, found) for stage, found in channels.items() if found),
        parameters=count_parameters(model),
        multiply_adds=count_multiply_adds(model, image_shape),
        least_side=min(sides),
    )


def fingerprint(
    backbone: str,
    variant: VariantLike = None,
    *,
    num_classes: int = 1000,
    image_shape: tuple[int, int, int] = (3, 224, 224),
    made_of: Structure | None = None,
) -> Fingerprint:
    """Return a network's fingerprint. Its function is computed on smaller images where the given ones are large.

    Args:
        backbone: a known backbone.
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        num_classes: outputs.
        image_shape: (C, H, W) in pixels.
        made_of: its structure, where that is known already.

    Raises:
        UserError: a name is unknown.
        ArithmeticError: an output is infinite or not a number.
    """
    made_of = made_of or structure(backbone, variant, num_classes=num_classes, image_shape=image_shape)
    with using_threads(1):  # the order of a sum does not depend on the number of cores
        model = build_model(backbone, variant, num_classes=num_classes, in_channels=image_shape[0], seed=0)
        initial = _hash_values(model)
        _fill(model)
        training, function = _first_that_runs(model, small_image(made_of, image_shape), image_shape)
    training = hashlib.sha256(f"{initial} {training}".encode()).hexdigest()[:16]
    return Fingerprint(
        made_of.widths, made_of.gates, made_of.parameters, made_of.multiply_adds, function, training
    )


def small_image(made_of: Structure, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the shape of the images on which a network's function is computed.

    They are as small as leaves every unit a map of about 2x2 positions: on one position, every squeeze is the same.

    Args:
        made_of: the network's structure at the images that it is for.
        image_shape: (C, H, W) of those, in pixels.
    """
    channels, height, width = image_shape
    side = min(height, width)
    for small in SMALL_SIDES:
        if small < side and small * made_of.least_side >= 2 * side:
            return channels, small, small
    return image_shape


def _first_that_runs(
    model: nn.Module, small: tuple[int, int, int], full: tuple[int, int, int]
) -> tuple[str, str]:
    """Compute a network's behaviour; some plug-ins compute in float32 whatever they are given, or need large maps."""
    for shape, dtype in ((small, torch.float64), (small, torch.float32), (full, torch.float64)):
        with suppress(RuntimeError):
            return _behaviour(model, shape, dtype)
    return _behaviour(model, full, torch.float32)


def _fill(model: nn.Module) -> None:
    """Fill every parameter with fixed values that depend on its position and shape, and on no name.

    Matrices and kernels get He's scale. Vectors and scalars stay near the values that they were built with, as
    the exponents or temperatures of a plug-in may have no other sense. Buffers are left alone: a plug-in's may
    be what defines it.
    """
    gates = {id(parameter) for parameter in _gate_parameters(model)}
    for index, parameter in enumerate(model.parameters()):
        noise = _uniform(parameter.shape, "parameter", index)
        with torch.no_grad():
            if parameter.dim() >= 2:
                scale = math.sqrt(6 / math.prod(parameter.shape[1:]))
                parameter.copy_(noise * scale * (GATE_GAIN if id(parameter) in gates else 1))
            else:
                parameter.add_(noise * 0.2 * (1 + parameter.abs()))


def _uniform(shape: tuple[int, ...], *names: str | int) -> Tensor:
    """Draw from -1 to 1; unlike normal numbers, uniform ones are the same bits on every processor."""
    generator = torch.Generator().manual_seed(stream_seed(0, "fingerprint", *names, *shape))
    return torch.rand(shape, generator=generator, device="cpu") * 2 - 1


def _behaviour(model: nn.Module, image_shape: tuple[int, int, int], dtype: torch.dtype) -> tuple[str, str]:
    """Return the hash of outputs and gradients in training mode, and the hash of outputs in evaluation mode.

    In evaluation mode the gates are tried with their weights and with the negative ones: a bottleneck of one
    unit may be dead under one sign, and the block would then be the same whatever its squeeze.
    """
    model = model.to(device="cpu", dtype=dtype)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0  # evaluation then has the statistics of the training pass, and sane scales
    model.zero_grad(set_to_none=True)
    with drawing_from(0, "noise"):
        outputs = model.train()(_uniform((IMAGES, *image_shape), "training images").to(dtype))
        (outputs * _uniform(outputs.shape, "cotangent").to(dtype)).sum().backward()
    norms = [
        torch.zeros(()) if p.grad is None else p.grad.norm().double().detach() for p in model.parameters()
    ]
    images = _uniform((IMAGES, *image_shape), "images").to(dtype)
    matrices = [p for p in _gate_parameters(model) if p.dim() >= 2]
    with torch.no_grad():
        computed = [model.eval()(images)]
        if matrices:
            for matrix in matrices:
                matrix.neg_()
            computed.append(model(images))
    return _hash_rounded(outputs.detach(), *norms), _hash_rounded(*computed)


def _gate_parameters(model: nn.Module) -> list[nn.Parameter]:
    return [p for block in model.modules() if isinstance(block, UnitBlock) for p in block.parameters()]


def _hash_rounded(*tensors: Tensor) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        largest = tensor.abs().max().item()
        if not math.isfinite(largest):
            raise ArithmeticError("the network's outputs are not finite numbers")
        shares = tensor.double() / (largest or 1.0) * 10**DIGITS
        digest.update(f"{largest:.{DIGITS - 1}e} {shares.round().long().flatten().tolist()}".encode())
    return digest.hexdigest()[:16]


def _hash_values(model: nn.Module) -> str:
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(f"{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
