"""Squeeze-and-Excitation networks as points of a design space.

Source: Hu, Shen, Albanie, Sun and Wu, "Squeeze-and-Excitation Networks", arXiv:1709.01507v4.

Importing this package does not import torch: names, sources and variants are known at once, and
torch comes with the first network that is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from senet_core import integration
from senet_core.backbones import BACKBONES, backbone_stages
from senet_core.blocks import excitation, fusion, gate_init, gates, squeezes, whole
from senet_core.blocks.registry import Registry
from senet_core.blocks.slots import (
    BLOCKS,
    EXCITATIONS,
    FUSIONS,
    GATE_INITS,
    GATES,
    INTEGRATIONS,
    SLOTS,
    SQUEEZES,
)
from senet_core.dense import DETECTORS, SEGMENTERS, DetectorSize
from senet_core.errors import UserError
from senet_core.plugins import load_installed_plugins, load_plugin_file
from senet_core.variants.label import variant_label
from senet_core.variants.text import parse_variant, variant_from, variant_text
from senet_core.variants.variant import PAPER_SE, SEVariant

if TYPE_CHECKING:
    from senet_core.blocks.block import SEBlock
    from senet_core.complexity import Complexity, measure_complexity
    from senet_core.dense.detectors import build_detector
    from senet_core.dense.segmenters import build_segmenter
    from senet_core.insertion import insert_se
    from senet_core.model import build_model

_NEEDS_TORCH = {
    "SEBlock": "senet_core.blocks.block",
    "Complexity": "senet_core.complexity",
    "measure_complexity": "senet_core.complexity",
    "insert_se": "senet_core.insertion",
    "build_detector": "senet_core.dense.detectors",
    "build_model": "senet_core.model",
    "build_segmenter": "senet_core.dense.segmenters",
}

__all__ = [
    "BACKBONES",
    "BLOCKS",
    "DETECTORS",
    "EXCITATIONS",
    "FUSIONS",
    "GATES",
    "GATE_INITS",
    "INTEGRATIONS",
    "PAPER_SE",
    "SEGMENTERS",
    "SLOTS",
    "SQUEEZES",
    "Complexity",
    "DetectorSize",
    "Registry",
    "SEBlock",
    "SEVariant",
    "UserError",
    "backbone_stages",
    "build_detector",
    "build_model",
    "build_segmenter",
    "excitation",
    "fusion",
    "gate_init",
    "gates",
    "insert_se",
    "integration",
    "load_installed_plugins",
    "load_plugin_file",
    "measure_complexity",
    "parse_variant",
    "squeezes",
    "variant_from",
    "variant_label",
    "variant_text",
    "whole",
]


def __getattr__(name: str) -> Any:
    if name in _NEEDS_TORCH:
        return getattr(import_module(_NEEDS_TORCH[name]), name)
    raise AttributeError(f"module 'senet_core' has no attribute {name!r}")
