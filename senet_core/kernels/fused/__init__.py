"""Fused passes: what stands between two convolutions, in as few passes over memory as its arithmetic needs.

For training on a CPU. Batch norm with ReLU, with an addition, and with gates and an addition are each one function
with a gradient of its own, in a small library that is compiled at first use (`compiled.py`). `serving.py` decides where
they serve; everywhere else, and outside of `fused_passes`, PyTorch's operations compute, which is also what the passes
are tested against. Parameters, buffers and their names are the plain network's.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from senet_core.kernel_hook import FusedPasses, computing_by
from senet_core.kernels.compiled import why_none
from senet_core.kernels.fused import passes
from senet_core.kernels.fused.integrations import INTEGRATIONS
from senet_core.kernels.fused.serving import fused_norm_add_relu, fused_norm_relu

FUSED = FusedPasses(fused_norm_relu, fused_norm_add_relu, INTEGRATIONS)


def fused_passes(enabled: bool = True) -> AbstractContextManager[None]:
    """Use fused passes where they serve, in networks that run inside the block in this thread.

    Raises:
        CannotCompile: at the first pass, where `why_not` has a reason.
    """
    return computing_by(FUSED if enabled else None)


@lru_cache(maxsize=1)
def why_not() -> str:
    """Return why fused passes cannot be had on this machine, in one line; empty where they can."""
    return why_none(passes.load)
