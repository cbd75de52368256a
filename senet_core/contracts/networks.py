"""Contracts of registered backbones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from senet_core.backbones import Backbone
from senet_core.blocks.block import SEBlock
from senet_core.blocks.slots import INTEGRATIONS
from senet_core.contracts.behaviour import agree
from senet_core.contracts.contract import Found, contract
from senet_core.insertion import units_at
from senet_core.model import build_model
from senet_core.units import SEUnit
from senet_core.variants.variant import SEVariant

CLASSES = 7
OPEN = 100.0
"""A logit whose sigmoid is 1 in float32."""


@contract(
    "construction",
    promise="is built for the classes and image channels asked for, and gives one logit per class",
    mend="register a factory called as build(num_classes=..., in_channels=...), and state image_size",
)
def construction(backbone: Backbone) -> None:
    """Build the plain network for images of one and of three channels."""
    for channels in (1, 3):
        model = build_model(backbone.name, num_classes=CLASSES, in_channels=channels, seed=0).eval()
        with torch.no_grad():
            logits = model(_images(backbone, batch=1, channels=channels))
        if logits.shape != (1, CLASSES):
            raise Found(
                f"{tuple(logits.shape)} for 1 image of {channels} channels and {backbone.image_size} pixels,"
                f" not (1, {CLASSES})"
            )


@contract(
    "SE units",
    promise="takes an SE block in every unit of every stage, in each of its integrations",
    mend="state stages={2: 'path', ...} with the modules that hold the units, integrations=(...) if not all are"
    " possible, and teach new blocks by @unit_form",
    needs=("construction",),
)
def se_units(backbone: Backbone) -> None:
    """Build every allowed integration and count the blocks."""
    for integration, model in _gated(backbone):
        for stage, place in backbone.stages.items():
            units = [unit for _, unit in units_at(model, place)]
            if not units or not all(isinstance(unit, SEUnit) for unit in units):
                raise Found(f"stage {stage} at {place!r} has no units that could be gated ({integration})")


@contract(
    "names kept",
    promise="keeps every name of its state dict when SE blocks are put in",
    mend="keep state in parameters, buffers and layers, each layer under one name, without state-dict hooks",
    needs=("SE units",),
)
def names_kept(backbone: Backbone) -> None:
    """Compare the names, without which a checkpoint of the plain network would not load."""
    plain = set(_plain(backbone).state_dict())
    for integration, model in _gated(backbone):
        names = set(model.state_dict())
        lost = sorted(plain - names)
        added = sorted(name for name in names - plain if ".se." not in name)
        if lost or added:
            raise Found(f"{integration} {'loses' if lost else 'adds'} {(lost or added)[0]}")


@contract(
    "same weights",
    promise="starts from the same weights under one seed, with and without SE blocks",
    mend="draw initial weights with torch's generator only",
    needs=("names kept",),
)
def same_weights(backbone: Backbone) -> None:
    """Compare the weights bit for bit: that is what pairs the trials of a seed."""
    plain = _plain(backbone).state_dict()
    for integration, model in _gated(backbone):
        gated = model.state_dict()
        for name, value in plain.items():
            if isinstance(value, Tensor) and not torch.equal(value, gated[name]):
                raise Found(f"{name} is another in the network with {integration} SE blocks")


@contract(
    "gates at one",
    promise="computes what the plain network does where every gate is 1",
    mend="the form of the block must do what the block's forward does: compare them line by line",
    needs=("same weights",),
)
def gates_at_one(backbone: Backbone) -> None:
    """Open every gate: then only a form that misreads the block makes a difference."""
    x = _images(backbone, batch=1)
    plain = _randomised(_plain(backbone)).eval()
    with torch.no_grad():
        expected = plain(x)
        for integration, model in _gated(backbone, bias=True):
            _open_gates(_randomised(model)).eval()
            if not agree(model(x), expected):
                raise Found(f"with {integration} SE blocks and gates of 1 the logits are others")


@contract(
    "gradients",
    promise="runs forward and backward at its image size, with a finite gradient for every parameter",
    mend="remove parameters that no output depends on, and state the image_size that the network is made for",
    needs=("SE units",),
)
def gradients(backbone: Backbone) -> None:
    """Run one step of the plain network and of every integration."""
    x = _images(backbone, batch=2)
    for integration, model in (("plain", _plain(backbone)), *_gated(backbone)):
        logits = model.train()(x)
        loss: Tensor = torch.nn.functional.cross_entropy(logits, torch.tensor([0, CLASSES - 1]))
        torch.autograd.backward(loss)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and parameter.grad is None:
                raise Found(f"no gradient reaches {name} ({integration})")
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                raise Found(f"the gradient of {name} is NaN or infinite ({integration})")


def _plain(backbone: Backbone) -> nn.Module:
    return build_model(backbone.name, num_classes=CLASSES, seed=0)


def _gated(backbone: Backbone, *, bias: bool = False) -> Iterator[tuple[str, nn.Module]]:
    for integration in INTEGRATIONS if backbone.integrations is None else backbone.integrations:
        variant = SEVariant(integration=integration, bias=bias)
        yield integration, build_model(backbone.name, variant, num_classes=CLASSES, seed=0)


def _images(backbone: Backbone, *, batch: int, channels: int = 3) -> Tensor:
    size = backbone.image_size
    return torch.randn(batch, channels, size, size, generator=torch.Generator().manual_seed(0))


def _open_gates(model: nn.Module) -> nn.Module:
    for block in model.modules():
        if isinstance(block, SEBlock):
            nn.init.zeros_(block.network.fc2.weight)
            nn.init.constant_(block.network.fc2.bias, OPEN)
    return model


def _randomised(model: nn.Module) -> nn.Module:
    """Draw weights and statistics of batch norms; the same in the plain network and in those with SE blocks."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.running_var is not None:
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.8, 1.2, generator=generator)
            module.bias.data.uniform_(-0.2, 0.2, generator=generator)
    return model
