"""The precision that this machine's trials prefer, found without PyTorch where there is no GPU to ask it about."""

from __future__ import annotations

import sys
from pathlib import Path

from ablations.running.machine.processor import processor_computes_bf16

_GPU_FILES = ("nvidia*", "nvhost*", "kfd", "dxg")
"""What drivers of GPUs have in /dev: NVIDIA's, its small boards', AMD's, and Windows' own for Linux."""


def precision_here() -> str:
    """Return "bf16" where the device that trials run on here computes in it, else "fp32"."""
    if sys.platform == "darwin" or (sys.platform == "linux" and not _may_have_gpu()):
        return "bf16" if sys.platform == "linux" and processor_computes_bf16() else "fp32"
    from ablations.running.machine.devices import choose_device, preferred_precision  # PyTorch takes a second

    return preferred_precision(choose_device())


def _may_have_gpu() -> bool:
    return any(any(Path("/dev").glob(name)) for name in _GPU_FILES)
