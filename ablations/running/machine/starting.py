"""How processes of this package are started: with which environment, and without the caller's script."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

WORKER_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(4 << 30), "MALLOC_TRIM_THRESHOLD_": str(16 << 30)}
"""Settings of glibc's malloc, read at process start: feature maps are reused, not given back to the system and
zeroed by it again in every step (docs/performance.md). Another allocator ignores them."""

_hiding = threading.RLock()


@contextmanager
def without_main_module() -> Iterator[None]:
    """Keep processes that are started inside the block from running the main script again, as their first act.

    Tasks are functions of this package, and entries of a script's own are refused when a study is planned, so a
    script needs no `if __name__ == "__main__":` around its sweep.
    """
    main = sys.modules["__main__"]
    with _hiding:  # two pools at once would take each other's empty names for the true ones
        names = [name for name in ("__file__", "__spec__") if name in main.__dict__]
        hidden: dict[str, Any] = {name: main.__dict__.pop(name) for name in names}
        main.__spec__ = None
        try:
            yield
        finally:
            main.__dict__.update(hidden)


@contextmanager
def environment_with(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that are not set yet, for processes that are started inside the block."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
