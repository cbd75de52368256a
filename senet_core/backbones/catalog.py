"""What a backbone is, and how one is found by name.

Stages are numbered as the networks' own papers do, and the numbers are all that a variant knows of them:

    ResNets, ResNeXts, wide ResNets and SENet-154 on ImageNet     2-5   conv2_x ... conv5_x
    CIFAR ResNets, pre-activation, wide and Shake-Shake           2-4   conv2_x ... conv4_x
    VGG                                                           1-5   conv1_x ... conv5_x
    BN-Inception                                                  3-5   inception 3a-3c, 4a-4e, 5a-5b
    Inception-ResNet-v2                                           3-5   blocks A, B and C, by resolution
    MobileNet v1                                                  1-5   stage k at 1/2**k of the resolution
    ShuffleNet v1                                                 2-4   its own stage 2, 3 and 4
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senet_core.blocks.registry import Registry
from senet_core.blocks.slots import check_integration
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import nn

    from senet_core.variants.variant import SEVariant

Place = str | tuple[str, ...]
"""Where a stage's units are: the path of a module whose children they are, or their own paths, one by one."""

BACKBONES = Registry("backbone", traits={"stages": None}, optional={"integrations": None, "image_size": 224})
"""Factories called as `build(num_classes=..., in_channels=...)`, with the traits of `Backbone`."""


@dataclass(frozen=True)
class Backbone:
    """A network before SE blocks are put in.

    Attributes:
        name: its canonical name.
        build: called as `build(num_classes=..., in_channels=...)`.
        stages: stage number, in the numbers above, to the place of the stage's units.
        integrations: the integrations that make sense in its units; None for every one.
        image_size: height and width, in pixels, of the images that its paper trains it on.
    """

    name: str
    build: Callable[..., nn.Module]
    stages: Mapping[int, Place]
    integrations: tuple[str, ...] | None = None
    image_size: int = 224

    def __str__(self) -> str:
        return self.name

    def variant(self, variant: SEVariant | None) -> SEVariant | None:
        """Return the normal form of a variant in this network, without building it.

        Raises:
            UserError: the network lacks a stage of the variant, or the variant's integration.
        """
        if variant is None:
            return None
        check_integration(variant.integration, self.integrations, self.name)
        return variant.on(self.stages)


@dataclass(frozen=True)
class Pattern:
    """A family with more members than can be registered one by one.

    Attributes:
        regex: what a member's whole name matches.
        shown: how the family is listed: "resnetN with N = 6n+2".
        members: a few of its names, and what is special among them.
        find: returns the member for a match, or None where the numbers in the name are not of the family.
        differs: how its members depart from their sources, or from other families.
    """

    regex: str
    shown: str
    members: str
    find: Callable[[re.Match[str]], Backbone | None]
    differs: str = ""


PATTERNS: list[Pattern] = []


def find_backbone(name: str) -> Backbone:
    """Return a backbone by name: a registered one, or a member of a family such as `resnetN` with N = 6n+2.

    Raises:
        UserError: the name is not known.
    """
    if not isinstance(name, str):
        raise UserError(f"a backbone is a name such as 'resnet20', got {name!r}")
    if name in BACKBONES:
        entry = BACKBONES[name]
        traits = entry.traits
        return Backbone(
            name, entry.build, dict(traits["stages"]), traits["integrations"], traits["image_size"]
        )
    found = member(name)
    if found is not None:
        return found
    known = [*BACKBONES, *(pattern.shown for pattern in PATTERNS)]
    raise unknown("backbone", name, known, near=_near_member(name))


def member(name: str) -> Backbone | None:
    """Return the member of a family by its whole name; None where no family has it."""
    matches = ((pattern, re.fullmatch(pattern.regex, name)) for pattern in PATTERNS)
    members = (pattern.find(match) for pattern, match in matches if match)
    return next((member for member in members if member is not None), None)


def _near_member(name: str) -> str | None:
    """Return the name of the nearest depth that is known; None where its form is no family's."""
    if not any(re.fullmatch(pattern.regex, name) for pattern in PATTERNS):
        return None
    before, depth, after = re.split(r"(\d+)", name.removeprefix("cifar-"), maxsplit=1)
    by_distance = sorted(range(1, int(depth) + 10), key=lambda other: abs(other - int(depth)))
    names = (f"{before}{other}{after}" for other in by_distance[:20])
    return next((near for near in names if near in BACKBONES or member(near) is not None), None)


def backbone_stages(name: str) -> tuple[int, ...]:
    """Return the stage numbers of a backbone.

    Raises:
        UserError: the name is not known.
    """
    return tuple(find_backbone(name).stages)


def lazy(module: str, function: str, *arguments: object) -> Callable[..., nn.Module]:
    """Return a factory that imports its network when it is first built: names are known without torch.

    Args:
        module: a file of this folder.
        function: what builds the network there; it takes num_classes=... and in_channels=... as well.
        arguments: passed on, first.
    """

    def build(*, num_classes: int, in_channels: int) -> nn.Module:
        from importlib import import_module

        factory = getattr(import_module(f"senet_core.backbones.{module}"), function)
        model: nn.Module = factory(*arguments, num_classes=num_classes, in_channels=in_channels)
        return model

    return build
