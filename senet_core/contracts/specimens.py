"""Specimens: what the contracts of the slots examine, an entry in an SE block or unit of the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from senet_core.backbones.cifar_resnet import BasicUnit
from senet_core.blocks.block import SEBlock
from senet_core.blocks.registry import Entry
from senet_core.blocks.slots import INTEGRATIONS, SLOTS
from senet_core.insertion import made_of
from senet_core.randomness import drawing_from, stream_seed
from senet_core.units import SEUnit, form_of
from senet_core.variants.variant import SEVariant

CHANNELS = 16
WIDTH = 4


@dataclass(frozen=True)
class Specimen:
    """An SE block, or a unit with one, in which the examined entry takes part.

    Attributes:
        label: what it is, for people.
        entry: the examined entry.
        channels: of the maps it takes.
        build: makes a new one, drawing its weights from torch's generator.
        plain: makes what computes the shape of its output: the unit without SE, nothing for a block.
        traced: whether the contracts of compilers, which take a second each, examine it.
        learns_at_once: whether a gradient moves every parameter at the first step; one behind a layer that starts at 0
            waits.
    """

    label: str
    entry: Entry
    channels: int
    build: Callable[[], nn.Module]
    plain: Callable[[], nn.Module] = nn.Identity
    traced: bool = True
    learns_at_once: bool = True

    def make(self, *, seed: int = 0, training: bool = False) -> nn.Module:
        """Make one with the weights of a seed."""
        with drawing_from(seed, "specimen"):
            return self.build().train(training)

    def map(self, batch: int = 2, height: int = 5, width: int = 7, *, seed: int = 0) -> Tensor:
        """Draw a feature map.

        Shapes:
            returns (batch, channels, height, width).
        """
        generator = torch.Generator().manual_seed(stream_seed(seed, "map"))
        return torch.randn(batch, self.channels, height, width, generator=generator)

    def __str__(self) -> str:
        return self.label


def specimens_of(slot: str, name: str) -> tuple[Specimen, ...]:
    """Return the specimens of an entry: SE blocks; for an integration, units of CIFAR and of torchvision.

    Excitations and gates are examined on vectors, and on maps as well, since a squeeze may keep positions.

    Raises:
        UserError: the name is not registered.
    """
    entry = SLOTS[slot][name]
    if slot == "integration":
        return _units(entry)

    def block(label: str, **names: str | bool) -> Specimen:
        variant = SEVariant(**{slot: name, **names})  # type: ignore[arg-type]
        build = partial(made_of, variant, CHANNELS, width=WIDTH)
        at_once = slot != "gate_init" and entry.traits.get("learns_at_once", True)
        return Specimen(label, entry, CHANNELS, build, learns_at_once=at_once)

    if slot == "block":
        return (block("block"),)
    if slot == "squeeze":
        return (block("SE block"),)
    taken = entry.traits.get("descriptors", 1)
    if taken > 1:
        fitting = next(
            (s for s in SLOTS["squeeze"] if SLOTS["squeeze"][s].traits["descriptors"] == taken), "avg"
        )
        return (block(f"SE block with squeeze {fitting}", squeeze=fitting),)
    return (block("SE block"), block("SE block of a map, with biases", squeeze="none", bias=True))


def _units(entry: Entry) -> tuple[Specimen, ...]:
    from torchvision.models.resnet import Bottleneck

    def projecting() -> nn.Module:
        shortcut = nn.Sequential(nn.Conv2d(16, 24, 1, stride=2, bias=False), nn.BatchNorm2d(24))
        bottleneck: nn.Module = Bottleneck(16, 6, stride=2, downsample=shortcut)
        return bottleneck

    def unit(label: str, channels: int, plain: Callable[[], nn.Module], *, traced: bool) -> Specimen:
        def build() -> nn.Module:
            layers = plain()
            gated = form_of(layers).channels(layers).at(INTEGRATIONS[entry.name].traits["gates"])
            return SEUnit(layers, SEBlock(gated, width=WIDTH), integration=entry.name)

        return Specimen(label, entry, channels, build, plain, traced)

    return (
        unit("CIFAR unit", 8, lambda: BasicUnit(8, 8, stride=1), traced=False),
        unit("widening CIFAR unit", 8, lambda: BasicUnit(8, 12, stride=2), traced=True),
        unit("torchvision bottleneck", 16, lambda: Bottleneck(16, 4), traced=False),
        unit("projecting torchvision bottleneck", 16, projecting, traced=True),
    )
