"""Copies to a GPU that neither wait for it nor make it wait."""

from __future__ import annotations

import torch
from torch import Tensor

_SHARE = 0.5
"""Of the memory that is free: the network's maps need the rest, and other trials may share the GPU."""


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device; to CUDA it is copied from pinned memory, behind what the GPU has to do already."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def resident(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a CUDA device, to stay for a whole trial; where it is already, if the device lacks room."""
    free, _ = torch.cuda.mem_get_info(device)
    return tensor.to(device) if tensor.nbytes <= _SHARE * free else tensor
