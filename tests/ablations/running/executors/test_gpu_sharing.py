"""Tasks that share a GPU: who begins when, and that what fails beside others fails for good only alone."""

from __future__ import annotations

import os
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from ablations.running.executors.gpu_sharing import GpuShare, GpuSharing
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.record.trial_record import Failure
from ablations.running.trials.task import TaskOutcome


def outcome(failure: Failure | None = None, *, spent: bool = False, note: str = "") -> TaskOutcome:
    return TaskOutcome(None, (), failure, {"device": "stand-in"}, "", note, "", "", spent=spent)


OOM = outcome(Failure("oom", "out of memory"))
LOST = outcome(Failure("error", "CUDA error: unspecified launch failure"), spent=True)


@dataclass(eq=False)
class Job:
    name: str
    share: GpuShare = field(default_factory=GpuShare)


def begun(sharing: GpuSharing[Job], waiting: deque[Job], idle: deque[int]) -> list[tuple[str, int]]:
    found = []
    while (chosen := sharing.take(waiting, idle)) is not None:
        found.append((chosen[0].name, chosen[1]))
    return found


def test_each_gpu_takes_as_many_as_it_has_workers() -> None:
    sharing: GpuSharing[Job] = GpuSharing(2, 5)
    waiting, idle = deque(map(Job, "abcdef")), deque(range(5))
    assert begun(sharing, waiting, idle) == [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4)]
    assert [job.name for job in waiting] == ["f"]
    assert [sharing.of(worker) for worker in range(5)] == [0, 1, 0, 1, 0]


def test_a_task_without_memory_runs_again_with_one_fewer_then_alone_and_only_there_it_fails() -> None:
    said: list[str] = []
    sharing: GpuSharing[Job] = GpuSharing(1, 3, say=said.append)
    jobs = {name: Job(name) for name in "abcde"}
    waiting, idle = deque(jobs.values()), deque(range(3))
    assert begun(sharing, waiting, idle) == [("a", 0), ("b", 1), ("c", 2)]
    assert sharing.ended(1, jobs["b"], OOM) == "again"  # its worker is not idle any more: two are left
    waiting.appendleft(jobs["b"])
    assert begun(sharing, waiting, idle) == []
    assert sharing.ended(0, jobs["a"], outcome()) == ""
    idle.append(0)
    assert begun(sharing, waiting, idle) == [("b", 0)]
    assert sharing.ended(0, jobs["b"], OOM) == "alone"
    idle.append(0)
    assert begun(sharing, waiting, idle) == []  # until c has ended
    assert sharing.ended(2, jobs["c"], outcome()) == ""
    idle.append(2)
    assert begun(sharing, waiting, idle) == [("b", 0)]  # and nobody beside it
    assert sharing.ended(0, jobs["b"], OOM) == ""
    idle.append(0)
    assert begun(sharing, waiting, idle) == [("d", 2), ("e", 0)]
    assert said == [
        "GPU 0 had too little memory for 3 trials at once: a trial is begun again, and 2 at once run there from now on",
        "GPU 0 had too little memory for a trial beside others: it is begun again, alone",
    ]


def test_a_task_that_was_alone_by_chance_has_failed_at_once() -> None:
    sharing: GpuSharing[Job] = GpuSharing(1, 4)
    job = Job("a")
    assert begun(sharing, deque([job]), deque(range(4))) == [("a", 0)]
    assert sharing.ended(0, job, OOM) == ""


def test_company_that_comes_later_counts() -> None:
    sharing: GpuSharing[Job] = GpuSharing(1, 2)
    first, second, idle = Job("a"), Job("b"), deque(range(2))
    assert begun(sharing, deque([first]), idle) == [("a", 0)]
    assert begun(sharing, deque([second]), idle) == [("b", 1)]
    assert sharing.ended(1, second, outcome()) == ""
    assert sharing.ended(0, first, OOM) == "again"


def test_a_lost_gpu_may_be_the_fault_of_any_that_ran_there_and_each_runs_again_alone() -> None:
    sharing: GpuSharing[Job] = GpuSharing(1, 2)
    first, second, idle = Job("a"), Job("b"), deque(range(2))
    assert len(begun(sharing, deque([first, second]), idle)) == 2
    assert [sharing.ended(0, first, LOST), sharing.ended(1, second, LOST)] == ["alone", "alone"]
    idle.extend([0, 1])
    assert begun(sharing, deque([Job("c")]), idle) == [("a", 0)]
    assert sharing.ended(0, first, LOST) == ""


def test_other_failures_are_failures() -> None:
    sharing: GpuSharing[Job] = GpuSharing(1, 2)
    first, second = Job("a"), Job("b")
    assert len(begun(sharing, deque([first, second]), deque(range(2)))) == 2
    assert sharing.ended(0, first, outcome(Failure("diverged", "not finite"))) == ""
    assert sharing.ended(1, second, None) == ""


@dataclass(frozen=True)
class Device:
    """Stands in for a GPU: memory that processes take and give back, some MiB in all."""

    folder: Path
    total: int

    def books(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for path in self.folder.glob("*.mib"):
            with suppress(FileNotFoundError):  # given back at this moment
                if psutil.pid_exists(int(path.stem)):
                    found[int(path.stem)] = int(path.read_text() or 0)
        return found

    def take(self, mib: int) -> bool:
        with FileLock(str(self.folder / "lock")):
            if sum(self.books().values()) + mib > self.total:
                return False
            (self.folder / f"{os.getpid()}.mib").write_text(str(mib))
        return True

    def give_back(self) -> None:
        (self.folder / f"{os.getpid()}.mib").unlink(missing_ok=True)


def use(device: Device, mib: int, seconds: float = 0.3) -> TaskOutcome:
    """A trial: it takes memory, works, and gives it back; its note is how many were there at the most."""
    if not device.take(mib):
        return OOM
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, len(device.books()))
        time.sleep(0.02)
    device.give_back()
    return outcome(note=str(most))


def lose(device: Device) -> TaskOutcome:
    """A trial that loses the GPU for all that are there, but not alone."""
    time.sleep(0.5)
    return LOST if len(device.books()) else outcome(note="alone")


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path, 100)


def made(workers: int, said: list[str]) -> WorkerPool:
    sharing: GpuSharing[Job] = GpuSharing(1, workers, lambda: "mps", said.append)
    return WorkerPool(workers, gpus=("0",), warm_up="", sharing=sharing, environment={"SHARED": "yes"})


def results(futures: list[Future[TaskOutcome]]) -> list[TaskOutcome]:
    return [future.result(timeout=120) for future in futures]


def test_on_a_device_with_too_little_memory_every_trial_that_fits_alone_ends_well(device: Device) -> None:
    """Four at once, of which three fit; and one that needs it all, and one that fits nowhere."""
    said: list[str] = []
    pool = made(4, said)
    try:
        found = results([pool.submit(use, device, mib) for mib in (30, 30, 30, 30, 90, 30, 101, 30)])
    finally:
        pool.shutdown()
    assert [one.failure is None for one in found] == [True, True, True, True, True, True, False, True]
    assert found[6].failure == OOM.failure
    assert found[4].data_note == "1"
    assert max(int(one.data_note) for one in found if one.failure is None) <= 3
    assert "3 at once run there from now on" in said[0]


def test_the_environment_says_how_many_shared_the_gpu_and_how_but_not_of_one_that_ran_alone(
    device: Device,
) -> None:
    pool = made(2, [])
    try:
        small, large = results([pool.submit(use, device, 40), pool.submit(use, device, 70)])
        assert pool.submit(os.getenv, "SHARED").result(timeout=60) == "yes"
    finally:
        pool.shutdown()
    told = [{**one.environment} for one in (small, large)]
    shared = {"device": "stand-in", "trials_per_gpu": 2, "gpu_sharing": "mps"}
    assert sorted(told, key=len) == [{"device": "stand-in"}, shared]


def test_the_neighbours_of_a_trial_that_loses_the_gpu_are_not_lost(device: Device) -> None:
    said: list[str] = []
    pool = made(2, said)
    try:
        neighbour, loser = results([pool.submit(use, device, 10, 2.0), pool.submit(lose, device)])
        assert loser.failure is None
        assert loser.data_note == "alone"
        assert neighbour.failure is None
    finally:
        pool.shutdown()
    assert said == ["GPU 0 was lost with 2 trials on it; a trial is begun again"]


def test_a_trial_that_was_to_run_again_and_cannot_any_more_was_stopped_and_did_not_fail(
    device: Device,
) -> None:
    pool = made(2, [])
    both = [pool.submit(use, device, 60, 3.0) for _ in range(2)]
    until = time.monotonic() + 60
    while not pool._waiting and time.monotonic() < until:
        time.sleep(0.02)  # until the second of them was put back
    pool.give_up_waiting()
    [waits] = [future for future in both if future.done()]
    assert waits.result().stopped
    assert waits.result().failure is None
    pool.kill()
    [runs] = [future for future in both if future is not waits]
    assert runs.exception(timeout=60) is not None
