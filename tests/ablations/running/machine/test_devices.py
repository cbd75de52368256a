"""Which GPUs there are, and how many trials run on them at a time."""

from __future__ import annotations

import pytest

from ablations.running.executors.local_factory import worker_count
from ablations.running.machine import devices


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "count_gpus", lambda: 4)


@pytest.mark.usefixtures("four_gpus")
def test_gpus_are_named_by_their_numbers() -> None:
    assert devices.visible_gpus() == ("0", "1", "2", "3")


@pytest.mark.usefixtures("four_gpus")
def test_gpus_that_the_user_chose_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5,GPU-8932f937,7")
    assert devices.visible_gpus() == ("2", "5", "GPU-8932f937", "7")


def test_without_a_gpu_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.visible_gpus() == ()


@pytest.mark.usefixtures("four_gpus")
@pytest.mark.parametrize(
    ("asked", "trials", "per_gpu", "expected"),
    [(None, 100, 1, 4), (None, 100, 3, 12), (None, 2, 3, 2), (5, 100, 3, 5)],
)
def test_as_many_trials_run_as_gpus_hold(asked: int | None, trials: int, per_gpu: int, expected: int) -> None:
    assert worker_count(asked, trials, per_gpu) == expected
