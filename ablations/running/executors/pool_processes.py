"""The processes of standard pools: how much memory they have, and their end."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait

import psutil

END_SECONDS = 10.0
"""In which a process that was killed is gone."""


def resident_mib(pool: ProcessPoolExecutor) -> float:
    """Return the resident memory of a pool's process."""
    found = 0.0
    for pid in list(pool._processes or {}):
        with suppress(psutil.Error):
            found = max(found, psutil.Process(pid).memory_info().rss / 2**20)
    return found


def kill_workers(pool: ProcessPoolExecutor, *, wait: bool = True) -> None:
    """End a standard pool's processes, and those that they have started, whatever they are doing."""
    processes = list((pool._processes or {}).values())  # there is no public way before Python 3.14
    started = [child for process in processes for child in _started_by(process.pid)]
    for process in processes:
        process.kill()
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    pool.shutdown(wait=wait, cancel_futures=True)


def end_at_once(pools: Collection[ProcessPoolExecutor]) -> None:
    """End the processes of standard pools, and wait until they are gone."""
    processes = [process for pool in pools for process in (pool._processes or {}).values()]
    for pool in pools:
        kill_workers(pool, wait=False)
    until = time.monotonic() + END_SECONDS
    while (alive := [p for p in processes if p.is_alive()]) and time.monotonic() < until:
        wait([process.sentinel for process in alive], timeout=0.2)


def _started_by(pid: int | None) -> list[psutil.Process]:
    """Return the processes that a process has started, such as a compiler."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []
