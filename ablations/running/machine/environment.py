"""The environment of a trial: commit, machine, versions and settings, to judge its numbers and to reproduce them."""

from __future__ import annotations

import platform
import socket
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.running.machine.code_version import code_version
from ablations.running.machine.cores import available_cores
from ablations.running.machine.cuda.device import describe_device
from ablations.running.machine.kernels import Kernels
from ablations.running.machine.packages import package_version

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


def processor_name() -> str:
    """Return the processor's name as the operating system gives it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def processor_computes_bf16() -> bool:
    """Return whether the processor has bfloat16 instructions; emulated, bfloat16 is slower than float32."""
    flags = _cpuinfo("flags").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


@lru_cache(maxsize=4)
def _cpuinfo(field: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next(
        (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == field), ""
    )
