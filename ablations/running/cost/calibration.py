"""Calibration: one row is timed for some seconds by as many processes at once as the sweep will use.

The other rows are taken to need time in proportion to their multiply-adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from statistics import median

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost.probe import Probe, ProbeTiming, run_probe
from ablations.running.cost.speed import Speed, speed_key, spread
from ablations.running.machine.devices import choose_device
from senet_core.errors import typed_line

MOST_ATTEMPTS = 3
"""Rows that are tried where the first ones fail."""

_STEP_MULTIPLY_ADDS = {"cpu": 1e11, "cuda": 1e14, "mps": 1e13}
_FORWARD_AND_BACKWARD = 3
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class UntimedRow:
    """A row whose speed no earlier trial tells: its label, one of its trials, and what an image costs its network."""

    label: str
    trial: NetworkTrial
    multiply_adds: int


@dataclass(frozen=True)
class Calibration:
    """The result of a calibration.

    Attributes:
        problems: row's label to why it could not be timed.
        speeds: by speed key, of the row that was timed and of those scaled from it; empty where every attempt failed.
        start_seconds: until a worker has begun; None where nothing was measured.
        seconds: that the timing took, after its workers had begun.
        images: of a step, as (in the recipe, as it was timed).
    """

    problems: Mapping[str, str]
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    start_seconds: float | None = None
    seconds: float = 0.0
    images: tuple[int, int] = (0, 0)


def calibrate(
    rows: Sequence[UntimedRow], probe: Probe, workers: int, make_executor: Callable[[int], Executor]
) -> Calibration:
    """Time the first row, or the one nearest to it in multiply-adds that can be timed, and scale the others.

    Args:
        rows: in the study's order, at least one.
        probe: what is the same for every row; its trial is replaced.
        workers: processes that run it at once.
        make_executor: opens so many workers; they are ended whatever happens.
    """
    problems: dict[str, str] = {}
    executor = make_executor(workers)
    try:
        for row in sorted(rows, key=lambda row: abs(row.multiply_adds - rows[0].multiply_adds))[
            :MOST_ATTEMPTS
        ]:
            images = probe.batch, quick_batch(probe.batch, row.multiply_adds, choose_device().type)
            asked = time.time()
            try:
                own = replace(probe, trial=row.trial.to_json(), images=row.trial.data.images, batch=images[1])
                timings = _run(own, executor, workers)
            except Exception as error:  # foreign code may raise anything
                problems[row.label] = typed_line(error)
                continue
            begun = min(timing.begun for timing in timings)
            left = [other for other in rows if other.label not in problems]
            return Calibration(
                problems, _speeds(left, row, timings), begun - asked, time.time() - begun, images
            )
    finally:
        kill = getattr(executor, "kill", executor.shutdown)
        kill()
    return Calibration(problems)


def quick_batch(wanted: int, multiply_adds: int, device: str) -> int:
    """Return a smaller batch where a step of `wanted` images would take seconds."""
    room = _STEP_MULTIPLY_ADDS.get(device, 1e11) / (_FORWARD_AND_BACKWARD * max(1, multiply_adds))
    return min(wanted, max(2, int(room)))


def _run(probe: Probe, executor: Executor, workers: int) -> list[ProbeTiming]:
    futures = [executor.submit(run_probe, probe) for _ in range(workers)]
    return [future.result(timeout=_PATIENCE_SECONDS + 3 * probe.seconds) for future in futures]


def _speeds(
    rows: Sequence[UntimedRow], timed: UntimedRow, timings: Sequence[ProbeTiming]
) -> dict[str, Speed]:
    test, rest = (median(getattr(timing, name) for timing in timings) for name in ("test", "rest"))
    speeds = {}
    for row in rows:
        factor = row.multiply_adds / max(1, timed.multiply_adds)
        source = "calibration" if row is timed else f"like {timed.label}"
        train = spread(timing.train * factor for timing in timings)
        speeds[speed_key(row.trial.to_json())] = Speed(train, test * factor, rest, source)
    return speeds
