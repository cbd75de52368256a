"""Calibration: one row is timed for some seconds by as many processes at once as the sweep will use.

The other rows are taken to need time in proportion to their multiply-adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, median

from ablations.planning.trial import Trial
from ablations.running.cost.probe import Probe, ProbeTiming, run_probe
from ablations.running.cost.speed import ImageCounts, Span, Speed, speed_key, spread
from ablations.running.machine.devices import choose_device
from ablations.running.machine.kernels import ALL_KERNELS, Kernels

MOST_ATTEMPTS = 3
"""Rows that are tried where the first ones fail."""

_STEP_MULTIPLY_ADDS = {"cpu": 1e11, "cuda": 1e14, "mps": 1e13}
_FORWARD_AND_BACKWARD = 3
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class UntimedRow:
    """A row whose speed no earlier trial tells.

    Attributes:
        label: the row's.
        trial: one of its trials.
        multiply_adds: of its network, for one image.
    """

    label: str
    trial: Trial
    multiply_adds: int

    @property
    def key(self) -> str:
        """What decides its speed."""
        return speed_key(self.trial.to_json())


@dataclass(frozen=True)
class SweepSetup:
    """How a sweep would run on this machine.

    Attributes:
        results_dir: where earlier records are.
        data_dir: where the prepared data sets are.
        workers: trials at a time.
        kernels: which to train with where they can be had.
    """

    results_dir: Path
    data_dir: Path
    workers: int
    kernels: Kernels = ALL_KERNELS


@dataclass(frozen=True)
class Calibration:
    """What was measured.

    Attributes:
        problems: row's label to why it could not be timed.
        speeds: by speed key, of the row that was timed and of those that are scaled from it; empty where every
            attempt failed.
        start_seconds: until a worker has begun; None where nothing was measured.
        seconds: that the calibration took, after its workers had begun.
        images: of a step, as (in the recipe, as it was timed).
    """

    problems: Mapping[str, str]
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    start_seconds: float | None = None
    seconds: float = 0.0
    images: tuple[int, int] = (0, 0)


def calibrate(
    rows: Sequence[UntimedRow],
    setup: SweepSetup,
    seconds: float,
    *,
    images: ImageCounts,
    make_executor: Callable[[int], Executor],
    plugins: tuple[str, ...] = (),
) -> Calibration:
    """Time the first row, or the one nearest to it in multiply-adds that can be timed, and scale the others.

    Args:
        rows: in the study's order, at least one.
        setup: of the sweep.
        seconds: about how long to train, above 0; counted from when the workers have begun.
        images: of the trial's data.
        make_executor: opens so many workers; they are ended whatever happens.
        plugins: plug-in files that the study needs.
    """
    problems: dict[str, str] = {}
    executor = make_executor(setup.workers)
    nearest = sorted(rows, key=lambda row: abs(row.multiply_adds - rows[0].multiply_adds))
    try:
        for row in nearest[:MOST_ATTEMPTS]:
            wanted = min(row.trial.recipe.batch_size, images.train)
            batch = quick_batch(wanted, row.multiply_adds, choose_device().type)
            probe = Probe(row.trial.to_json(), batch, seconds, setup.data_dir, plugins, setup.kernels)
            asked = time.time()
            try:
                # a worker loads libraries once, not for each trial: its first probe is not counted
                first = _run(replace(probe, batch=min(2, batch), seconds=0.0), executor, setup.workers)
                timings = _run(probe, executor, setup.workers)
            except Exception as error:  # foreign code may raise anything
                problems[row.label] = f"{type(error).__name__}: {' '.join(str(error).split())}"
                continue
            begun = min(timing.begun for timing in first)
            speeds = _scaled(rows, row, _speed(timings), problems)
            return Calibration(problems, speeds, begun - asked, time.time() - begun, (wanted, batch))
    finally:
        kill = getattr(executor, "kill", executor.shutdown)
        kill()
    return Calibration(problems)


def quick_batch(wanted: int, multiply_adds: int, device: str) -> int:
    """Return a smaller batch where a step of `wanted` images would take seconds."""
    room = _STEP_MULTIPLY_ADDS.get(device, 1e11) / (_FORWARD_AND_BACKWARD * max(1, multiply_adds))
    return min(wanted, max(2, int(room)))


def _run(probe: Probe, executor: Executor, workers: int) -> list[ProbeTiming]:
    """Run a probe in every worker at once."""
    futures = [executor.submit(run_probe, probe) for _ in range(workers)]
    return [future.result(timeout=_PATIENCE_SECONDS + 3 * probe.seconds) for future in futures]


def _speed(timings: Sequence[ProbeTiming]) -> Speed:
    steps = [step for timing in timings for step in timing.steps]
    middle, quartiles = mean(steps), spread(steps)  # a trial takes the sum of its steps, the slow ones too
    return Speed(
        Span(middle, min(middle, quartiles.low), max(middle, quartiles.high)),
        median(timing.test for timing in timings),
        median(timing.rest for timing in timings),
        "calibration",
    )


def _scaled(
    rows: Sequence[UntimedRow], timed: UntimedRow, speed: Speed, problems: Mapping[str, str]
) -> dict[str, Speed]:
    """Return the speeds of all rows that did not fail, in proportion to their multiply-adds."""
    others = [row for row in rows if row.label not in problems]
    scaled = {
        row.key: speed.like(timed.label, row.multiply_adds / max(1, timed.multiply_adds)) for row in others
    }
    return scaled | {timed.key: speed}
