"""A device made ready for a trial, and what the record says of a device."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.running.machine.cuda.determinism import WORKSPACE, reserve_workspace, set_deterministic
from ablations.running.machine.cuda.precision import check_precision, float32_now, set_float32

if TYPE_CHECKING:
    import torch

CUDA_FIELDS = (
    "torch_build",
    "cuda",
    "cudnn",
    "driver",
    "capability",
    "fp32_matmul",
    "fp32_convolution",
    "cublas_workspace",
    "deterministic",
)
"""Fields that the environment of a trial on CUDA has, and no other: all of them decide the last bits."""

_ASK_SECONDS = 10
_DRIVER_FILE = Path("/proc/driver/nvidia/version")
_VERSION = re.compile(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b")


def prepare_device(device: torch.device, precision: str) -> dict[str, Any]:
    """Set how CUDA computes a trial, and return what the environment says of that; nothing of another device.

    Raises:
        UserError: the device does not have the precision.
    """
    check_precision(device, precision)
    if device.type != "cuda":
        return {}
    reserve_workspace()
    set_float32("tf32" if precision == "tf32" else "ieee")
    set_deterministic()
    return {**float32_now(), "cublas_workspace": os.environ.get(WORKSPACE, ""), "deterministic": True}


def determinism_found(without: Collection[str]) -> dict[str, Any]:
    """Return what the environment says of a trial in which operations ran that have no deterministic form.

    Args:
        without: their names.
    """
    if not without:
        return {}
    return {"deterministic": False, "not_deterministic": ", ".join(sorted(without))}


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return the device's name as the record keeps it; on CUDA with the versions that decide how it computes."""
    if device.type != "cuda":
        return {"device": device.type}
    import torch

    major, minor = torch.cuda.get_device_capability(device)
    return {
        "device": torch.cuda.get_device_name(device),
        "torch_build": torch.__version__,  # with its local part, as 2.14.1+cu130: the package's version may lack it
        "cuda": torch.version.cuda or "",
        "cudnn": str(torch.backends.cudnn.version() or ""),  # type: ignore[no-untyped-call]
        "driver": driver_version(),
        "capability": f"{major}.{minor}",
    }


@lru_cache(maxsize=1)
def driver_version() -> str:
    """Return the version of NVIDIA's driver; empty where it cannot be found."""
    try:
        text = _DRIVER_FILE.read_text(encoding="ascii", errors="replace")
    except OSError:
        text = _asked_driver()
    found = _VERSION.search(text)
    return "" if found is None else found[1]


def _asked_driver() -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        asked = subprocess.run(
            ["nvidia-smi"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.partition("Driver Version")[2]
