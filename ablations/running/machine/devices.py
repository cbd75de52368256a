"""The device and the precision that a trial runs with."""

from __future__ import annotations

import os

import torch

from ablations.running.machine.environment import processor_computes_bf16


def choose_device() -> torch.device:
    """Return CUDA where there is a GPU, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def count_gpus() -> int:
    """Return the number of CUDA devices."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def visible_gpus() -> tuple[str, ...]:
    """Return the CUDA devices that this process may use, each by its name for CUDA_VISIBLE_DEVICES."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    count = count_gpus()
    return tuple(named[:count]) if any(named) else tuple(map(str, range(count)))


def preferred_precision(device: torch.device) -> str:
    """Return "bf16" where the device computes in it, else "fp32"."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and processor_computes_bf16() else "fp32"
