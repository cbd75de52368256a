"""The processor: its name, and whether it computes in bfloat16."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path


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
