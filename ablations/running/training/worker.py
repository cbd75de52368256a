"""A worker process: its set-up, and the function that runs a task in it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from multiprocessing.connection import wait

from ablations.running.machine.output import make_patient
from ablations.running.machine.signals import handed_back_on_signal, leave_signals_to_sweep
from ablations.running.training.task import Task, TaskOutcome

ORPHAN_CHECK_SECONDS = 1.0


def start_worker(threads: int, gpu: str | None) -> None:
    """Set up a worker process: its share of the cores, its GPU, its signals, its output, and the imports.

    Args:
        threads: threads for torch.
        gpu: the CUDA device to use, as CUDA_VISIBLE_DEVICES names it; None where there is none.
    """
    leave_signals_to_sweep()
    make_patient()  # a plug-in may print, and no trial fails because nobody can read it
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    import torch

    import ablations.running.training.attempt  # noqa: F401  (imported now, so that the first trial's time is the trial's)

    torch.set_num_threads(threads)


def run_task(task: Task) -> TaskOutcome:
    """Run one trial, from its newest checkpoint if there is one, and return its outcome.

    Any error inside the trial is a failure in the outcome, not an exception.

    Raises:
        DataError: the data are missing, damaged or others than those of the record.
    """
    from ablations.running.training.attempt import (
        run_attempt,  # imports torch, which a sweep's own process may not need
    )

    with handed_back_on_signal() as stop:
        return run_attempt(task, stop.is_set)


def _end_with_parent(parent: int) -> None:
    sweep = multiprocessing.parent_process()
    if sweep is not None:
        wait([sweep.sentinel])  # which also tells of a sweep that died while this process was starting
    while os.getppid() == parent and sweep is None:
        time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(1)  # the sweep was killed: nobody is left to take the result
