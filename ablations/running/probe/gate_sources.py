"""Where a network has gates: its SE blocks, those of torchvision and timm, and modules that a caller names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from senet_core.backbones.catalog import Place
from senet_core.errors import UserError, unknown
from senet_core.insertion import stages_of, units_at
from senet_core.units import SEUnit

GATE_LAYERS = {
    "torchvision.ops.misc.SqueezeExcitation": "scale_activation",
    "timm.layers.squeeze_excite.SEModule": "gate",
    "timm.layers.squeeze_excite.EffectiveSEModule": "gate",
    "timm.models._efficientnet_blocks.SqueezeExcite": "gate",
}
"""Blocks of other libraries, and their last layer, whose output is the gates."""


@dataclass(frozen=True)
class GateSource:
    """A module from which gates are read.

    Attributes:
        path: in the network, or the name that the caller gave.
        module: has `weights(x)`; or it is a block whose `layer` puts the gates out; or its own output is the gates.
        unit: stage in the paper's numbers, and place of the unit in it from 1; None where the network does not say.
        layer: path within `module` of the layer whose output is the gates; "" for the module itself; None where
            `weights` is asked.
    """

    path: str
    module: nn.Module
    unit: tuple[int, int] | None = None
    layer: str | None = None


def find_sources(
    network: nn.Module,
    *,
    stages: Mapping[int, Place] | None = None,
    named: Mapping[str, str] | None = None,
) -> tuple[tuple[GateSource, ...], dict[str, str]]:
    """Return the modules of a network from which gates can be read, and why others cannot.

    Args:
        network: any.
        stages: stage number to the place of its units; found by itself in ResNets.
        named: names of units to paths of modules whose output is the gates, for networks of which nothing is known.

    Returns:
        The sources in the order in which the network names its modules, and for each block that cannot be read its path
        with the reason.

    Raises:
        UserError: there is no module at a path.
    """
    if named is not None:
        return tuple(_named(network, named)), {}
    by_path = _units_by_path(network, stages)
    found: list[GateSource] = []
    unread: dict[str, str] = {}
    for path, module in network.named_modules():
        if isinstance(module, SEUnit):
            inside = next((m for m in module.se.modules() if callable(getattr(m, "weights", None))), None)
            if inside is None:
                unread[path] = "its block computes no gates"
            else:
                found.append(GateSource(path, inside, by_path.get(path)))
        elif (layer := GATE_LAYERS.get(_class_name(module))) is not None:
            found.append(GateSource(path, module, _unit_around(path, by_path), layer))
    return tuple(found), unread


def _named(network: nn.Module, named: Mapping[str, str]) -> Iterator[GateSource]:
    known = dict(network.named_modules())
    for name, path in named.items():
        if path not in known:
            raise unknown("module", path, [place for place in known if place])
        yield GateSource(name, known[path], layer="")


def _units_by_path(network: nn.Module, stages: Mapping[int, Place] | None) -> dict[str, tuple[int, int]]:
    if stages is None:
        try:
            stages = stages_of(network)
        except UserError:
            return {}
    return {
        path: (stage, place)
        for stage, where in stages.items()
        for place, (path, _) in enumerate(units_at(network, where), 1)
    }


def _unit_around(path: str, by_path: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Return the unit that holds a module."""
    return next((found for unit, found in by_path.items() if f"{path}.".startswith(f"{unit}.")), None)


def _class_name(module: nn.Module) -> str:
    """Return the nearest class of a module that is known, so that subclasses of a block are read as the block is."""
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(module).__mro__]
    return next((name for name in names if name in GATE_LAYERS), "")
