"""The environment of a trial that is not ours: the commit of its code, the machine, and how much of it was its own."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from ablations.running.machine.code_version import git
from ablations.running.machine.cores import available_cores
from ablations.running.machine.packages import package_version
from ablations.running.machine.processor import processor_name


def plain_environment(home: str, threads: int) -> dict[str, Any]:
    """Return commit, host, processor and versions as the record keeps them.

    Args:
        home: the folder of the code, whose commit is told where git knows one.
        threads: the cores that are the trial's.
    """
    return {
        **_commit(home),
        "senet-ablations": package_version("senet-ablations"),
        "host": socket.gethostname(),
        "processor": processor_name(),
        "cores": available_cores(),
        "device": os.environ.get("CUDA_VISIBLE_DEVICES") or "cpu",
        "threads": threads,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


@lru_cache(maxsize=8)
def _commit(home: str) -> dict[str, Any]:
    """Return commit and dirtiness of the checkout around a folder; nothing where there is none."""
    try:
        commit = git(Path(home), "rev-parse", "--short=12", "HEAD")
        return {"commit": commit, "dirty": bool(git(Path(home), "status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return {}
