"""The memory of a trial: its peak, what its device has left, and errors that say that there was too little."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import torch


def reset_peak_memory(device: torch.device) -> None:
    """Reset the peak to the present use, where the system allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):  # not Linux, or not allowed: the peak is then that of the process
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib(device: torch.device) -> float:
    """Return the peak since the last reset in MiB: device memory on CUDA, resident memory otherwise."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, ValueError):
        import resource  # Windows has none

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kib = peak // 1024 if sys.platform == "darwin" else peak
    return round(kib / 1024, 1)


def device_memory_mib(device: torch.device) -> tuple[float, float]:
    """Return the memory of a device in MiB, or of the machine where it has none: what is free now, and all."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
    else:
        memory = psutil.virtual_memory()
        free, total = memory.available, memory.total
    return free / 2**20, total / 2**20


def lacks_memory(error: BaseException) -> bool:
    """Return whether an error says that there was too little memory, the device's or the machine's."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "out of memory" in str(error).lower()


def give_back_memory(device: torch.device) -> None:
    """Give a GPU's memory that this process keeps for later back, for others that share the GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(
            device
        )  # a process may be ended from here on without harm to others on the GPU
        gc.collect()  # what was captured as a graph is in circles of references
        torch.cuda.empty_cache()
