"""The environment of a trial: commit, machine, versions and settings, to judge its numbers and to reproduce them."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ablations.running.machine.kernels import Kernels

CODE = ("senet_core", "ablations")


def describe_environment(*, device: str, precision: str, threads: int, kernels: Kernels) -> dict[str, Any]:
    """Return commit, host, processor, versions and settings as the record keeps them."""
    return {
        **code_version(),
        "host": socket.gethostname(),
        "processor": processor_name(),
        "cores": available_cores(),
        "device": device,
        "precision": precision,
        "threads": threads,
        **kernels.to_json(),
        "python": platform.python_version(),
        "torch": package_version("torch"),
        "torchvision": package_version("torchvision"),
        "numpy": package_version("numpy"),
        "senet-ablations": package_version("senet-ablations"),
        "platform": platform.platform(),
    }


@lru_cache(maxsize=1)
def code_version() -> dict[str, Any]:
    """Return the commit of the running code, and whether files differ from it; an empty commit outside git."""
    root = Path(__file__).resolve().parents[3]
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if commit is None or not (root / ".git").exists():
        return {"commit": "", "dirty": False}
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--", *CODE))}


def package_version(name: str) -> str:
    """Return an installed package's version; empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
