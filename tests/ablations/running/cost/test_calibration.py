"""Calibration: real probes of small networks, and fake ones for what is made of their timings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost import calibration
from ablations.running.cost import probe as probe_module
from ablations.running.cost.calibration import Calibration, UntimedRow, calibrate, quick_batch
from ablations.running.cost.probe import FIRST_STEPS, Probe, ProbeTiming, run_probe, synthetic_data
from ablations.running.cost.speed import Speed, speed_key
from senet_core.variants.variant import SEVariant
from tests.ablations.running.small import one_thread, small_trial

PROBE = Probe({}, 32, 5.0, Path("nowhere"))


def rows(*multiply_adds: int) -> list[UntimedRow]:
    """Rows of these sizes; the reduction of each is its place, from 1."""
    return [
        UntimedRow(f"row {size}", small_trial(SEVariant(reduction=place)), size)
        for place, size in enumerate(multiply_adds, 1)
    ]


def place_of(probe: Probe) -> int:
    """Return the place of the row that is timed."""
    return int(probe.trial["variant"].partition("reduction=")[2].partition(",")[0])


def calibrated(
    monkeypatch: pytest.MonkeyPatch,
    several: list[UntimedRow],
    *,
    workers: int = 2,
    failing: tuple[int, ...] = (),
) -> tuple[list[Probe], Calibration]:
    """Calibrate with probes that take no time; they meet, as they run at once."""
    probes: list[Probe] = []
    together = threading.Barrier(workers)

    def probe(what: Probe) -> ProbeTiming:
        probes.append(what)
        together.wait(timeout=5)
        if place_of(what) in failing:
            raise RuntimeError("not  today")
        return ProbeTiming(time.time(), 0.02, 0.004, 0.5)

    monkeypatch.setattr(calibration, "run_probe", probe)
    return probes, calibrate(several, PROBE, workers, ThreadPoolExecutor)


def speeds_of(several: list[UntimedRow], found: Calibration) -> list[Speed]:
    return [found.speeds[speed_key(row.trial.to_json())] for row in several]


@pytest.mark.parametrize("variant", [SEVariant(reduction=4), None])
def test_a_probe_times_a_trial_without_any_data(tmp_path: Path, variant: SEVariant | None) -> None:
    began = time.perf_counter()
    with one_thread():
        timing = run_probe(Probe(small_trial(variant).to_json(), 16, 1.0, tmp_path))
    assert time.perf_counter() - began > 0.5
    for seconds, most in ((timing.train, 0.1), (timing.test, 0.1), (timing.rest, 30)):
        assert 0 < seconds < most
    assert list(tmp_path.iterdir()) == []


def test_a_probe_trains_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The steps of a first training, in which libraries are loaded, say nothing of the others."""
    trained: list[int] = []
    real = probe_module.train

    def train(trial: NetworkTrial, *given: Any, **words: Any) -> Any:
        steps = trial.recipe.iterations or 0
        trained.append(steps)
        result, *rest = real(replace_length(trial), *given, **words)
        seconds = 9.0 if len(trained) == 1 else 0.01 * steps
        return replace(result, train_seconds=seconds), *rest

    monkeypatch.setattr(probe_module, "train", train)
    with one_thread():
        timing = run_probe(Probe(small_trial(lr=1e6, warmup=0.0).to_json(), 16, 2.0, tmp_path))
    assert trained == [FIRST_STEPS, FIRST_STEPS, 200]
    assert timing.train == pytest.approx(0.01 / 16)


def replace_length(trial: NetworkTrial) -> NetworkTrial:
    return replace(trial, recipe=trial.recipe.model_copy(update={"iterations": 1}))


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "image-folder"])
def test_random_images_have_the_data_sets_shape(name: str) -> None:
    known = DATASETS[name]
    size = 40 if "size" in known.asks else None
    made = synthetic_data(DataSpec(name=name, size=size), 64)
    assert made.image_shape == (known.channels, size or known.size, size or known.size)
    assert made.num_classes == known.classes


def test_the_first_row_is_timed_by_all_processes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    probes, found = calibrated(monkeypatch, rows(10, 20), workers=3)
    assert [(place_of(probe), probe.seconds) for probe in probes] == [(1, 5.0)] * 3
    [speed] = speeds_of(rows(10), found)
    assert speed.train == pytest.approx((0.02, 0.02, 0.02))
    assert (speed.test, speed.rest, speed.source) == (0.004, 0.5, "calibration")
    assert found.start_seconds is not None
    assert found.images == (32, 32)


def test_the_others_are_scaled_by_their_multiply_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    several = rows(100, 50, 400)
    _, found = calibrated(monkeypatch, several)
    speeds = speeds_of(several, found)
    assert [speed.train[0] for speed in speeds] == pytest.approx([0.02, 0.01, 0.08])
    assert [speed.test for speed in speeds] == pytest.approx([0.004, 0.002, 0.016])
    assert [speed.rest for speed in speeds] == [0.5] * 3
    assert [speed.source for speed in speeds] == ["calibration", "like row 100", "like row 100"]


def test_where_the_first_row_fails_the_nearest_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    several = rows(100, 400, 110, 50)
    probes, found = calibrated(monkeypatch, several, failing=(1,))
    assert {place_of(probe) for probe in probes} == {1, 3}
    assert found.problems == {"row 100": "RuntimeError: not today"}
    assert [speed.source for speed in speeds_of(several[1:], found)] == [
        "like row 110",
        "calibration",
        "like row 110",
    ]
    assert len(found.speeds) == 3


def test_where_every_attempt_fails_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = calibrated(monkeypatch, rows(1, 2, 3, 4, 5), failing=(1, 2, 3, 4, 5))
    assert list(found.problems) == ["row 1", "row 2", "row 3"]
    assert (found.speeds, found.start_seconds) == ({}, None)


def test_a_step_that_would_take_seconds_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = calibrated(monkeypatch, rows(4_000_000_000))
    assert found.images == (32, 8)
    assert quick_batch(32, 4_000_000_000, "cuda") == 32
    assert quick_batch(32, 10**15, "cpu") == 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_the_workers_are_ended_whatever_happens(stop: Callable[[], BaseException]) -> None:
    ended = []

    class Interrupted(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise stop()

        def kill(self) -> None:
            ended.append(True)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        calibrate(rows(10), PROBE, 1, lambda workers: Interrupted())
    assert ended == [True]
