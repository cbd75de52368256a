"""Compute in a spawned process, which is kept for the contracts that need one."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.connection import wait

import torch
from torch import Tensor, nn

from senet_core.blocks.registry import Origin
from senet_core.contracts.contract import Found
from senet_core.plugins import load_plugin_file, path_of, registries


def output_elsewhere(module: nn.Module, x: Tensor, origin: Origin) -> Tensor:
    """Compute a module's output in a spawned process that has loaded the plug-in file, if it is of one.

    The process starts in seconds and serves until this one ends.

    Raises:
        Found: the process ended before it answered.
    """
    file = path_of(origin)
    # as bytes: torch would send tensors in shared memory, which is scarce in containers
    sent = pickle.dumps((module, x))
    try:
        answer = _process().submit(
            _compute, sent, None if file is None else str(file), torch.get_num_threads()
        )
        y: Tensor = pickle.loads(answer.result())
    except BrokenProcessPool:
        _process.cache_clear()
        raise Found(
            "the new process ended before it answered (a script that starts processes needs"
            " `if __name__ == '__main__':`)"
        ) from None
    except KeyboardInterrupt:  # whoever ends the command does not wait for the process
        for process in (_process()._processes or {}).values():
            process.kill()
        raise
    return y


@lru_cache(maxsize=1)
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_start)


def _start() -> None:
    """Leave Ctrl-C, which comes to the whole group, to the process that asks, and end with that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _compute(sent: bytes, file: str | None, threads: int) -> bytes:
    torch.set_num_threads(threads)
    if file is not None:
        origin = load_plugin_file(file)
        for registry in registries():
            registry.forget(origin)  # the next file may use the names again; unpickling needs the module only
    module, x = pickle.loads(sent)
    with torch.no_grad():
        return pickle.dumps(module(x))
