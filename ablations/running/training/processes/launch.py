"""Starts the processes that train a trial together, follows them, and ends all of them when one has ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import start_processes

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data.content import FileState, check_content, checked_contents, take_over_checks
from ablations.running.data.paths import prepared_path
from ablations.running.machine.cuda.determinism import reserve_workspace
from ablations.running.machine.devices import choose_device
from ablations.running.machine.output import make_patient
from ablations.running.machine.signals import leave_signals_to_sweep, signals_held_back
from ablations.running.machine.starting import WORKER_ENVIRONMENT, environment_with, without_main_module
from ablations.running.training.attempt import run_attempt
from ablations.running.training.processes.group import Group
from ablations.running.trials.task import TaskOutcome
from ablations.running.trials.worker import end_with_parent
from senet_core.errors import UserError, one_line

if TYPE_CHECKING:
    from ablations.running.training.network_task import NetworkTask

HERE = "127.0.0.1"
POLL_SECONDS = 0.2
GRACE_SECONDS = 3.0
"""How long the others may go on when one process has ended, to say how they did."""

SILENCE_SECONDS = 600.0
"""How long a process waits for the others, none of which has ended, before it fails."""


class ProcessLost(RuntimeError):
    """One of the processes that trained a trial ended before the trial did: out of memory, or killed."""


def run_together(task: NetworkTask, signalled: Callable[[], bool]) -> TaskOutcome:
    """Run one attempt at a trial in processes of its own, and return its outcome as the first of them has it.

    Each has a GPU of those that this process sees, or on a CPU a share of its threads.

    Args:
        task: the trial.
        signalled: returns whether a signal has asked this worker to end, which stops the trial.

    Raises:
        ProcessLost: one of them was killed; the trial goes on from its checkpoint when it is run again.
        DataError: the data are damaged.
        UserError: see `run_attempt`; or they cannot be joined here.
    """
    path = prepared_path(NetworkTrial.from_json(task.trial).data.located(task.images), task.data_dir)
    if path.exists():
        check_content(path)  # once for all trials of this worker
    processes = _Processes(task)
    try:
        return processes.outcome(signalled)
    finally:
        processes.end()


class _Processes:
    """The processes of one attempt.

    Attributes:
        said: what each has said in the end, by rank, in the order of time: its outcome, or what it raised.
        lost: ranks of those that ended and had said nothing.
    """

    def __init__(self, task: NetworkTask) -> None:
        size = task.processes
        # as torchrun's agent does: the port is free, and none of the processes is waited for
        self._store = dist.TCPStore(HERE, 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
        threads = max(1, torch.get_num_threads() // size)
        pipes = [Pipe() for _ in range(size)]
        self._ends, theirs = [ours for ours, _ in pipes], [end for _, end in pipes]
        arguments = task, self._store.port, threads, theirs, checked_contents()
        with environment_with(WORKER_ENVIRONMENT), without_main_module(), signals_held_back():
            started = start_processes(_run_one, arguments, size, join=False)  # type: ignore[no-untyped-call]
        self._processes = started.processes
        for end in theirs:
            end.close()
        self.said: dict[int, TaskOutcome | BaseException] = {}
        self.lost: list[int] = []

    def outcome(self, signalled: Callable[[], bool]) -> TaskOutcome:
        """Wait for the outcome.

        Raises:
            ProcessLost: a process ended without one.
            UserError: as a process raised it.
        """
        told, until = False, float("inf")
        while len(self.said) + len(self.lost) < len(self._processes) and time.monotonic() < until:
            self._listen()
            if not told and signalled():
                told = True
                with suppress(OSError):
                    self._ends[0].send("stop")
            if until == float("inf") and (
                self.lost or 0 in self.said or any(map(_failed, self.said.values()))
            ):
                until = time.monotonic() + GRACE_SECONDS
        first = self.said.get(0)
        if isinstance(first, TaskOutcome) and not _failed(first):
            return first
        if self.lost:  # the others failed because of it
            raise ProcessLost(self._words(self.lost[0]))
        cause = next(said for said in self.said.values() if _failed(said))
        if isinstance(cause, BaseException):
            raise cause
        return cause

    def end(self) -> None:
        """End whatever still runs."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
        for end in self._ends:
            end.close()

    def _listen(self) -> None:
        """Hear what is said within a moment, and who has ended without a word."""
        silent = [rank for rank in range(len(self._ends)) if rank not in self.said and rank not in self.lost]
        wait([x for rank in silent for x in (self._ends[rank], self._processes[rank].sentinel)], POLL_SECONDS)
        for rank in silent:
            ended = not self._processes[rank].is_alive()  # asked first: what it said before is there by now
            if self._ends[rank].poll():
                with suppress(EOFError, OSError):
                    self.said[rank] = self._ends[rank].recv()
            if ended and rank not in self.said:
                self.lost.append(rank)

    def _words(self, rank: int) -> str:
        code = self._processes[rank].exitcode or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        return (
            f"process {rank + 1} of {len(self._processes)} ended {how} before the trial did (killed, or out of memory),"
            " and the others with it"
        )


def _failed(said: TaskOutcome | BaseException) -> bool:
    return isinstance(said, BaseException) or said.failure is not None


def _run_one(
    rank: int,
    task: NetworkTask,
    port: int,
    threads: int,
    ends: list[Connection],
    checked: Mapping[FileState, str],
) -> None:
    """Be one of the processes of a trial, and say in the end how it went."""
    leave_signals_to_sweep()
    make_patient()
    threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
    reserve_workspace()
    torch.set_num_threads(threads)
    take_over_checks(checked)
    own = ends[rank]
    try:
        with _joined(rank, task.processes, port) as group:
            said = run_attempt(task, own.poll, group)
            if _failed(said):
                _say_and_stay(own, said)
    except BaseException as error:
        _say_and_stay(own, error)
    else:
        own.send(said)


def _say_and_stay(own: Connection, said: TaskOutcome | BaseException) -> None:
    """Say how a process failed, and stay until whoever started it ends it.

    With its end the others would fail, too, for want of it, and might be heard first.
    """
    own.send(said)
    time.sleep(SILENCE_SECONDS)
    os._exit(1)


@contextmanager
def _joined(rank: int, size: int, port: int) -> Iterator[Group]:
    """Join the processes of a trial, by the names that torchrun has for them.

    Raises:
        UserError: they cannot be joined here.
    """
    local = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
    os.environ |= {name: str(value) for name, value in local.items()}
    os.environ |= {"MASTER_ADDR": HERE, "MASTER_PORT": str(port)}
    if sys.platform == "linux":
        os.environ.setdefault(
            "GLOO_SOCKET_IFNAME", "lo"
        )  # all of them are on this machine, whatever its name says
    device = choose_device()
    if device.type == "mps":
        raise UserError(
            f"a trial of {size} processes (`processes_per_trial`) needs CUDA or a CPU: MPS has one device"
        )
    if device.type == "cuda":
        if torch.cuda.device_count() < size:
            raise UserError(
                f"a trial of {size} processes (`processes_per_trial`) needs as many GPUs; {torch.cuda.device_count()}"
                " can be seen"
            )
        torch.cuda.set_device(rank)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    limit = timedelta(seconds=SILENCE_SECONDS)
    try:
        store = dist.TCPStore(HERE, port, size, is_master=False, timeout=limit)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=limit)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"the {size} processes of a trial cannot be joined on this machine: {one_line(error)}"
        ) from error
    yield Group(rank, size)
    dist.destroy_process_group()
