"""Calibration: real probes of small networks, and fake ones for how they are handed out."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.datasets import DATASETS
from ablations.planning.trial import DataSpec
from ablations.running.cost import calibration
from ablations.running.cost.calibration import Calibration, Kind, by_use, calibrate
from ablations.running.cost.probe import LEAST_STEPS, Lap, Probe, Timing, run_probe, synthetic_data
from ablations.running.cost.speed import Images
from senet_core.variant import SEVariant
from tests.ablations.running.small import one_thread, small_trial

IMAGES = Images(80, 40, 8)


def kinds(*costs: int) -> list[Kind]:
    variants = [SEVariant(reduction=cost) for cost in range(1, len(costs) + 1)]
    return [
        Kind(f"row {cost}", small_trial(variant), cost, True)
        for cost, variant in zip(costs, variants, strict=True)
    ]


def test_a_probe_times_steps_without_any_data(tmp_path: Path) -> None:
    with one_thread():
        timing = run_probe(Probe(small_trial().to_json(), 16, 0.3, tmp_path))
    assert len(timing.steps) >= LEAST_STEPS
    for lap, most in ((timing.steps[0], 1), (timing.test, 1), (timing.save, 5), (timing.rest, 30)):
        assert 0 < lap.wall < most
        assert 0 < lap.computed < 1.5 * lap.wall + 0.01
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "image-folder"])
def test_random_images_have_the_data_sets_shape(name: str) -> None:
    made = synthetic_data(DataSpec(name=name), 64)
    known = DATASETS[name]
    assert made.image_shape == (known.channels, known.size, known.size)
    assert made.num_classes == known.classes


def test_the_most_telling_kinds_come_first() -> None:
    rows = kinds(50, 10, 40, 20, 30, 70, 60)
    ordered, least = by_use(rows)
    assert [kind.multiply_adds for kind in ordered[:4]] == [50, 10, 70, 30]
    assert least == 3  # baseline; plain, which is the cheapest; dearest
    assert sorted(kind.label for kind in ordered) == sorted(kind.label for kind in rows)
    assert by_use(rows[:1]) == (rows[:1], 1)


class Handed:
    """An executor that runs tasks in threads and remembers how many ran at once."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.most = self.now = 0
        self.share = 1.0

    def probe(self, probe: Probe) -> Timing:
        reduction = str(probe.trial["variant"])
        self.labels.append(reduction)
        self.now += 1
        self.most = max(self.most, self.now)
        time.sleep(probe.seconds / 20)
        self.now -= 1
        if "reduction=3" in reduction:
            raise RuntimeError("not today")
        steps = tuple(Lap(computed / self.share, computed) for computed in (0.01, 0.02, 0.03))
        return Timing(time.time(), steps, Lap(9.0, 0.004), Lap(0.1, 9.0), Lap(9.0, 0.5))


def calibrated(
    monkeypatch: pytest.MonkeyPatch,
    rows: list[Kind],
    seconds: float,
    workers: int = 2,
    share: float = 1.0,
    **changes: Any,
) -> tuple[Handed, Calibration]:
    handed = Handed()
    handed.share = share
    monkeypatch.setattr(calibration, "run_probe", handed.probe)
    given: dict[str, Any] = {"device": "cpu", "images": IMAGES, "data_dir": Path("nowhere"), **changes}
    found = calibrate(
        rows, make_executor=lambda: ThreadPoolExecutor(workers), workers=workers, seconds=seconds, **given
    )
    return handed, found


def test_every_worker_is_busy_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    handed, found = calibrated(monkeypatch, kinds(10), 2.0)
    assert handed.most == 2
    assert len(handed.labels) % 2 == 0
    [speed] = found.speeds.values()
    assert speed.train.mid == pytest.approx(0.02)
    assert (speed.test, speed.save, speed.rest, speed.source) == (0.004, 0.1, 0.5, "calibration")
    assert found.start is not None


def test_a_busy_machine_takes_longer_by_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = calibrated(monkeypatch, kinds(10, 20), 2.0, share=0.25)
    assert found.share == pytest.approx(0.25)
    for speed in found.speeds.values():
        assert (speed.train.mid, speed.test, speed.save, speed.rest) == pytest.approx((0.08, 0.016, 0.1, 2.0))
    _, found = calibrated(monkeypatch, kinds(10), 2.0, share=0.25, device="cuda")
    [speed] = found.speeds.values()
    assert (speed.train.mid, speed.test, found.share) == pytest.approx((0.08, 9.0, 1.0))


def test_what_is_left_out_is_like_the_most_similar_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "LEAST_SECONDS", 4.0)
    rows = kinds(100, 50, 110, 200, 400, 60)
    handed, found = calibrated(monkeypatch, rows, 0.1)
    assert 3 <= len(handed.labels) <= 4  # baseline, plain, dearest, and the one that was begun beside
    by_label = {kind.label: found.speeds.get(kind.key) for kind in rows}
    near = by_label["row 60"]
    assert near is not None
    assert near.source == "like row 50"
    assert near.train.mid == pytest.approx(0.02 * 60 / 50)


def test_a_kind_that_fails_is_said_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = calibrated(monkeypatch, kinds(10, 20, 30), 3.0)
    assert found.problems == {"row 30": "RuntimeError: not today"}
    assert len(found.speeds) == 2


def test_a_step_that_would_take_too_long_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = calibrated(monkeypatch, kinds(4_000_000_000), 1.0)
    assert found.smaller == {(32, 8)}
    _, found = calibrated(monkeypatch, kinds(4_000_000_000), 1.0, device="cuda")
    assert found.smaller == set()


def test_the_workers_are_ended_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    class Interrupted(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise KeyboardInterrupt

        def kill(self) -> None:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        calibrate(
            kinds(10), make_executor=Interrupted, workers=1, seconds=1, device="cpu", images=IMAGES,
            data_dir=Path("nowhere"),
        )  # fmt: skip
    assert ended == [True]
