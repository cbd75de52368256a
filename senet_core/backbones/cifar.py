"""Names of the CIFAR families; each network is in a file of its own, imported when it is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from senet_core.backbones.catalog import BACKBONES, PATTERNS, Backbone, Pattern, Place, lazy, member

STAGES: Mapping[int, Place] = {2: "layer1", 3: "layer2", 4: "layer3"}
SHARED_DEPTHS = (50, 152)
"""Depths of the form 6n+2 whose short name is torchvision's; the CIFAR network is then `cifar-resnetN`."""
BOTTLENECKS_FROM = 164
"""Pre-activation ResNets have basic units below this depth and bottlenecks from it, as in He et al. 2016."""
SHAKE_INTEGRATIONS = ("standard", "pre", "post", "identity")
"""Two branches have two 3x3 convolutions side by side, so that there is no one map inside to gate."""

PRE_GATES = (
    "pre gates the pre-activation that branch and shortcut share where channels change, else the raw sum"
)
"""In pre-activation and wide ResNets: after batch norm and ReLU in the first unit of most stages, else before them."""
PRE_GATES_RAW = "pre gates the raw sum, before the ReLU of the branches"
STARTS_BY_INPUT = (
    "convolutions start by the size of their input (fan_in), those of other families by their output"
)
STARTS_BY_OUTPUT = (
    "convolutions start by the size of their output (fan_out), those of CIFAR's resnetN by their input"
)

_cifar = partial(Backbone, stages=STAGES, image_size=32)


def _find_resnet(match: re.Match[str]) -> Backbone | None:
    depth = int(match[2])
    # one network has one name: the prefix is for depths whose short name is torchvision's
    if depth < 8 or depth % 6 != 2 or bool(match[1]) != (depth in SHARED_DEPTHS):
        return None
    return _cifar(match[0], lazy("cifar_resnet", "CifarResNet", depth))


def _find_preact(match: re.Match[str]) -> Backbone | None:
    depth = int(match[1])
    layers = 9 if depth >= BOTTLENECKS_FROM else 6
    if depth < 8 or depth % layers != 2:
        return None
    return _cifar(match[0], lazy("preact_resnet", "preact_resnet", depth, layers == 9))


def _find_wide(match: re.Match[str]) -> Backbone | None:
    depth, factor = int(match[1]), int(match[2])
    if depth < 10 or depth % 6 != 4:
        return None
    return _cifar(match[0], lazy("preact_resnet", "wide_resnet", depth, factor))


def _find_shake(match: re.Match[str]) -> Backbone | None:
    kind, depth, groups, width = match[1], int(match[2]), match[3], int(match[4])
    layers = 6 if groups is None else 9
    if depth < layers + 2 or depth % layers != 2:
        return None
    cardinality = None if groups is None else int(groups)
    build = lazy("shake_shake", "ShakeShake", depth, cardinality, width, kind == "shake")
    return _cifar(match[0], build, integrations=SHAKE_INTEGRATIONS)


PATTERNS.append(
    Pattern(
        r"(cifar-)?resnet(\d{1,4})",
        "resnetN with N = 6n+2",
        "resnet8, resnet14, resnet20, ...; at depths 50 and 152 cifar-resnetN, as resnet50 is ImageNet's",
        _find_resnet,
        STARTS_BY_INPUT,
    )
)
PATTERNS.append(
    Pattern(
        r"preact-resnet(\d{1,4})",
        f"preact-resnetN with N = 6n+2, and N = 9n+2 from {BOTTLENECKS_FROM}",
        "preact-resnet8, preact-resnet20, preact-resnet164, ...",
        _find_preact,
        f"{PRE_GATES}; {STARTS_BY_OUTPUT}",
    )
)
PATTERNS.append(
    Pattern(
        r"wrn-(\d{2,3})-([1-9]\d?)",
        "wrn-D-K with D = 6n+4",
        "wrn-10-2, wrn-16-8, wrn-28-10, ...",
        _find_wide,
        f"{PRE_GATES}; {STARTS_BY_OUTPUT}",
    )
)
PATTERNS.append(
    Pattern(
        r"shake-(shake|even)-(\d{1,3})-2x(?:([1-9]\d?)x)?([1-9]\d{0,2})d",
        "shake-shake-D-2xWd with D = 6n+2 or -2xGxWd with D = 9n+2, and shake-even",
        "shake-shake-26-2x32d, shake-even-26-2x32d, shake-shake-29-2x4x64d, ...",
        _find_shake,
        f"{PRE_GATES_RAW}; {STARTS_BY_OUTPUT}",
    )
)


def _register(names: tuple[str, ...], *, source: str, differs: str = "") -> None:
    for name in names:
        found = _named(name)
        BACKBONES.register(
            name,
            source=source,
            differs=differs,
            stages=found.stages,
            integrations=found.integrations,
            image_size=found.image_size,
        )(found.build)


def _named(name: str) -> Backbone:
    found = member(name)
    assert found is not None, name
    return found


_register(
    ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    source="He et al. 2015, arXiv:1512.03385, section 4.2",
    differs=STARTS_BY_INPUT,
)
_register(
    ("preact-resnet110", "preact-resnet164"),
    source="He et al. 2016, arXiv:1603.05027, and the authors' code for the 164 layers",
    differs="the 110 layers keep the shortcuts without parameters of He et al. 2015; "
    f"{PRE_GATES}; {STARTS_BY_OUTPUT}",
)
_register(
    ("wrn-16-8",),
    source="Zagoruyko and Komodakis 2016, arXiv:1605.07146, and their code; no dropout",
    differs=f"{PRE_GATES}; {STARTS_BY_OUTPUT}",
)
_register(
    ("shake-shake-26-2x96d",),
    source="Gastaldi 2017, arXiv:1705.07485, and his code; both passes are shaken, image by image",
    differs=f"{PRE_GATES_RAW}; {STARTS_BY_OUTPUT}",
)
_register(
    ("shake-even-29-2x4x64d",),
    source="Gastaldi 2017, arXiv:1705.07485; the backward pass weighs the branches evenly",
    differs="the bottlenecks start with a ReLU, as his basic units do; his code for them is not public; "
    f"{PRE_GATES_RAW}; {STARTS_BY_OUTPUT}",
)
