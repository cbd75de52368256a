"""The environment of a trial: commit, machine, versions and settings, to judge its numbers and to reproduce them."""

from __future__ import annotations

import platform
import socket
from typing import TYPE_CHECKING, Any

from ablations.running.machine.code_version import code_version
from ablations.running.machine.cores import available_cores
from ablations.running.machine.cuda.device import describe_device
from ablations.running.machine.kernels import Kernels
from ablations.running.machine.packages import package_version
from ablations.running.machine.processor import processor_name

if TYPE_CHECKING:
    import torch


def describe_environment(
    *, device: torch.device, precision: str, threads: int, kernels: Kernels
) -> dict[str, Any]:
    """Return commit, host, processor, versions and settings as the record keeps them."""
    return {
        **code_version(),
        "host": socket.gethostname(),
        "processor": processor_name(),
        "cores": available_cores(),
        **describe_device(device),
        "precision": precision,
        "threads": threads,
        **kernels.to_json(),
        "python": platform.python_version(),
        "torch": package_version("torch"),
        "torchvision": package_version("torchvision"),
        "numpy": package_version("numpy"),
        "platform": platform.platform(),
    }
