"""How many trials share a GPU: the most trials an hour, within its memory; and a probe in worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small import small_trial

from ablations.running.cost.gpu_probe import Trained, measure_at_once
from ablations.running.cost.probe import Probe
from ablations.running.cost.trials_per_gpu import AtOnce, chosen, in_words, measured, room_for
from ablations.running.executors.process_pool import WorkerPool

GIB = 1024.0


class StandIn:
    """A GPU whose speed is given by the number of trials, and whose memory each trial takes a share of."""

    def __init__(self, speed: Mapping[int, float], each: float, total: float = 80 * GIB) -> None:
        self.speed, self.each, self.total = speed, each, total
        self.asked: list[int] = []

    def __call__(self, trials: int) -> AtOnce | None:
        self.asked.append(trials)
        used = trials * self.each
        return None if used > self.total else AtOnce(trials, self.speed[trials], used, self.total)


@pytest.mark.parametrize(
    ("speed", "each", "most", "asked", "expected"),
    [
        ({1: 10, 2: 19, 4: 30, 8: 31}, GIB, 16, [1, 2, 4, 8], 4),  # eight gain too little
        ({1: 10, 2: 19, 4: 30, 8: 40, 16: 20}, GIB, 16, [1, 2, 4, 8, 16], 8),
        ({1: 10, 2: 9}, GIB, 16, [1, 2], 1),  # they take turns
        ({1: 10, 2: 19, 3: 25}, GIB, 3, [1, 2, 3], 3),  # no more are there
        ({1: 10, 2: 19, 3: 25}, 24 * GIB, 16, [1, 2, 3], 3),  # four would take more than the memory
        ({1: 10}, GIB, 1, [1], 1),
        ({1: 10}, 75 * GIB, 8, [1], 1),  # more than its share, and yet there is nothing less
        ({1: 10}, 90 * GIB, 8, [1], 1),  # not even one
    ],
)
def test_the_most_trials_an_hour_that_memory_allows(
    speed: dict[int, float], each: float, most: int, asked: list[int], expected: int
) -> None:
    device = StandIn(speed, each)
    found = measured(device, most)
    assert (device.asked, chosen(found)) == (asked, expected)


def test_what_was_out_of_memory_ends_the_search() -> None:
    """Memory that is taken only beside others is not foreseen."""
    found = measured(lambda trials: AtOnce(trials, 10.0 * trials, GIB, 80 * GIB) if trials < 4 else None, 8)
    assert [each.trials for each in found] == [1, 2]


def test_what_each_takes_is_told_by_the_last_ones_as_the_first_brings_what_all_share() -> None:
    first = AtOnce(1, 10, 10 * GIB, 80 * GIB)
    assert room_for([first]) == 7
    assert room_for([first, AtOnce(2, 20, 12 * GIB, 80 * GIB)]) == 32


def test_it_is_said_in_one_line() -> None:
    found = [AtOnce(1, 120.4, 3 * GIB, 80 * GIB), AtOnce(2, 211.0, 4.5 * GIB, 80 * GIB)]
    assert in_words(found, "SE r=16") == (
        "trials on a GPU: 2, as SE r=16 at once makes 1: 120 trials/h, 3.0 GiB; 2: 211 trials/h, 4.5 GiB of 80.0"
    )
    assert in_words([], "SE") == "one trial on a GPU: one of SE alone had too little memory"


PROBE = Probe(small_trial().to_json(), 32, 0.5, Path("nowhere"))


def test_all_begin_at_one_time_and_their_speeds_are_added() -> None:
    begun: list[float] = []

    def train(start: float, seconds: float) -> Trained:
        begun.append(start)
        return Trained(7.0, 100.0 + len(begun), 1000.0)

    found = measure_at_once(3, PROBE, ThreadPoolExecutor, make_ready=lambda probe: True, train_for=train)
    assert found == AtOnce(3, 21.0, 103.0, 1000.0)
    assert len(set(begun)) == 1
    assert begun[0] > time.time() - 5


@pytest.mark.parametrize(
    ("ready", "train"),
    [(lambda probe: False, lambda *_: 1 / 0), (lambda probe: True, lambda *_: None)],
    ids=["at its beginning", "while it trains"],
)
def test_where_one_has_too_little_memory_so_many_do_not_fit(
    ready: Callable[[Probe], bool], train: Callable[[float, float], Trained | None]
) -> None:
    assert measure_at_once(2, PROBE, ThreadPoolExecutor, make_ready=ready, train_for=train) is None


def test_whatever_else_is_raised_is_raised_and_the_workers_end() -> None:
    made: list[ThreadPoolExecutor] = []

    def make(size: int) -> ThreadPoolExecutor:
        made.append(ThreadPoolExecutor(size))
        return made[-1]

    with pytest.raises(ZeroDivisionError):
        measure_at_once(1, PROBE, make, make_ready=lambda probe: 1 / 0 > 0)
    with pytest.raises(RuntimeError, match="shutdown"):
        made[0].submit(int)


@pytest.mark.slow
def test_two_trainings_are_timed_in_processes_as_a_sweep_has_them() -> None:
    """On a processor here: its memory is the machine's."""
    found = measure_at_once(2, PROBE, lambda size: WorkerPool(size, gpus=("0",)))
    assert found is not None
    assert found.trials == 2
    assert found.per_hour > 0
    assert 0 < found.used_mib < found.total_mib
