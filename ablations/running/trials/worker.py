"""A worker process: its set-up, and the function that runs a task in it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from multiprocessing.connection import wait

from ablations.planning.experiment import load_class
from ablations.running.machine.output import make_patient
from ablations.running.machine.process_groups import end_running
from ablations.running.machine.signals import handed_back_on_signal, leave_signals_to_sweep
from ablations.running.trials.task import Task, TaskOutcome

ORPHAN_CHECK_SECONDS = 1.0
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says to libraries that a trial loads how many threads are its own, unless the user has said so."""


def start_worker(threads: int, gpu: str | None, warm_up: str = "") -> None:
    """Set up a worker process: its share of the cores, its GPU, its signals, its output, and the imports.

    Args:
        threads: the cores that are its own.
        gpu: the CUDA device to use, as CUDA_VISIBLE_DEVICES names it; None where there is none.
        warm_up: what to call with the threads before the first trial, as "module:function"; empty for nothing.
    """
    leave_signals_to_sweep()
    make_patient()  # a plug-in may print, and no trial fails because nobody can read it
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
    set_up(threads, warm_up)


def set_up(threads: int, warm_up: str) -> None:
    """Say to the libraries of numbers how many threads are theirs, and import what the trials need.

    Args:
        threads: the cores that are this worker's.
        warm_up: as for `start_worker`.
    """
    if warm_up:
        load_class(warm_up)(threads)
        return
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, str(threads))


def run_task(task: Task) -> TaskOutcome:
    """Run one trial, from its newest checkpoint if there is one, and return its outcome.

    Any error inside the trial is a failure in the outcome, not an exception.

    Raises:
        UserError: see `Task.run`.
    """
    with handed_back_on_signal() as stop:
        return task.run(stop.is_set)


def end_with_parent(parent: int) -> None:
    """End this process, and what it has started, when the one that started it ends; for a thread of its own.

    Args:
        parent: the number of that process.
    """
    sweep = multiprocessing.parent_process()
    if sweep is not None:
        wait([sweep.sentinel])  # which also tells of a sweep that died while this process was starting
    while os.getppid() == parent and sweep is None:
        time.sleep(ORPHAN_CHECK_SECONDS)
    end_running()
    os._exit(1)  # the sweep was killed: nobody is left to take the result
