"""Deterministic algorithms on CUDA, without which a trial does not end twice alike; which operations have none."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
_SAME_EVERY_TIME = ":4096:8"
_ONE_HAS_NONE = re.compile(r"(\S+) does not have a deterministic implementation")
_CUBLAS_HAS_NONE = "this operation is not deterministic because it uses CuBLAS"


def reserve_workspace() -> None:
    """Let cuBLAS sum in the same order every time; what the user has set stays.

    It reads the setting at its first call, so that this comes before. Where CUDA is in use already, nothing is set:
    PyTorch then says at each product that it is not deterministic, and so does the record.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        os.environ.setdefault(WORKSPACE, _SAME_EVERY_TIME)


def set_deterministic() -> None:
    """Take deterministic algorithms wherever there are any; the others warn, see `noting_nondeterminism`."""
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False  # it would take whichever algorithm is the fastest at this moment


@contextmanager
def noting_nondeterminism() -> Iterator[set[str]]:
    """Yield a set to which the names of operations are added that ran in the block and have no deterministic form."""
    found: set[str] = set()
    with warnings.catch_warnings():
        warnings.filterwarnings("default", message=rf".*{_ONE_HAS_NONE.pattern}")
        warnings.filterwarnings("default", message=f".*{_CUBLAS_HAS_NONE}")
        shown = warnings.showwarning

        def note(message: Warning | str, *where: Any, **more: Any) -> None:
            if one := _ONE_HAS_NONE.match(str(message)):
                found.add(one[1])
            elif _CUBLAS_HAS_NONE in str(message):
                found.add("cuBLAS")
            else:
                shown(message, *where, **more)

        warnings.showwarning = note
        yield found
