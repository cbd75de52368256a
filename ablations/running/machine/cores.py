"""The cores that this process may use: fewer than the machine has, in a container, a job of a cluster or by taskset."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and by the quotas of its cgroups."""
    # os.process_cpu_count of Python 3.13 knows the affinity alone
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([seen, *(int(quota) for quota in quotas(_CGROUPS, _MEMBERSHIP))]))


def quotas(mounted: Path, membership: Path) -> Iterator[float]:
    """Yield the limits on computing, in cores, of the cgroups that a process is in, and of those above them.

    Args:
        mounted: where the hierarchy of cgroups is mounted, of version 1 or 2.
        membership: the process's /proc/PID/cgroup.
    """
    for line in _text(membership).splitlines():
        _, controllers, name = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        roots = [mounted] if not controllers else [mounted / "cpu", mounted / controllers]
        for root in roots:
            path = Path(name.lstrip("/"))
            # inside a container the name may be the host's, and the folder at the top is the container's own
            for folder in {root, *(root / above for above in (path, *path.parents))}:
                yield from _quota(folder)


def _quota(folder: Path) -> Iterator[float]:
    used, period = [*_text(folder / "cpu.max").split(), "", ""][:2]
    if not used:
        used, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    if used.isdigit() and period.isdigit() and int(period) > 0:
        yield int(used) / int(period)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
