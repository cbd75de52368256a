"""The device and the precision that a trial runs with."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from ablations.running.machine.processor import processor_computes_bf16

if TYPE_CHECKING:  # torch takes seconds to import, and is not there where only programs are run
    import torch

_ASK_SECONDS = 10


def choose_device() -> torch.device:
    """Return CUDA where there is a GPU, else Apple's MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def device_name() -> str:
    """Return "cuda", "mps" or "cpu", without importing torch for it."""
    if "torch" in sys.modules:
        return choose_device().type
    if count_gpus():
        return "cuda"
    return "mps" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"


def count_gpus() -> int:
    """Return the number of CUDA devices that this process may use; torch says it where it has been imported."""
    if "torch" in sys.modules:
        import torch

        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None and not any(name.strip() for name in named.split(",")):
        return 0
    there = _nvidia_gpus()
    return there if named is None else min(there, len(named.split(",")))


def _nvidia_gpus() -> int:
    """Return how many GPUs NVIDIA's driver lists; 0 without a driver."""
    if shutil.which("nvidia-smi") is None:
        return 0
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def visible_gpus() -> tuple[str, ...]:
    """Return the CUDA devices that this process may use, each by its name for CUDA_VISIBLE_DEVICES."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    count = count_gpus()
    return tuple(named[:count]) if any(named) else tuple(map(str, range(count)))


def preferred_precision(device: torch.device) -> str:
    """Return "bf16" where the device computes in it, else "fp32"."""
    import torch

    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and processor_computes_bf16() else "fp32"
