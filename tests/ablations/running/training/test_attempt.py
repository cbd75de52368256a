"""An attempt at a trial, where its device or its process can do no more; and what its checkpoints must share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small import DATA, one_thread, small_trial

from ablations.running.data import ensure_prepared
from ablations.running.machine.cuda import lost_context
from ablations.running.machine.cuda.device import CUDA_FIELDS
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.training import attempt
from ablations.running.training.attempt import run_attempt, same_environment
from ablations.running.training.network_task import NetworkTask
from senet_core.errors import UserError


def task_of(folder: Path, **recipe: Any) -> NetworkTask:
    ensure_prepared(DATA, folder / "data")
    trial = small_trial(epochs=1, **recipe)
    return NetworkTask(
        key=trial.key,
        trial=trial.to_json(),
        data_dir=folder / "data",
        running_dir=folder / "small" / "running",
        checkpoint_dir=folder / "small" / "checkpoints" / trial.key,
        stop_file=folder / "small" / "running" / "stop",
    )


def test_a_process_that_lost_its_gpu_says_so_and_runs_no_other_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_context, "_first_error", "")

    def asserts(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(attempt, "train", asserts)
    task = task_of(tmp_path)
    outcome = run_attempt(task)
    assert (outcome.spent, outcome.result) == (True, None)
    assert outcome.failure is not None
    assert outcome.failure.kind == "error"
    with pytest.raises(UserError, match="cannot use its GPU any more, since 'CUDA error: device-side assert"):
        run_attempt(
            task
        )  # of an executor that keeps its processes: the trial does not fail for another's error


def test_a_trial_that_fails_by_itself_leaves_its_process_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("The size of tensor a (3) must match the size of tensor b (4)")

    with monkeypatch.context() as patch:
        patch.setattr(attempt, "train", fails)
        assert not run_attempt(task_of(tmp_path)).spent
    with one_thread():
        outcome = run_attempt(task_of(tmp_path))
    assert (outcome.failure, outcome.spent) == (None, False)
    assert not outcome.environment.keys() & {*CUDA_FIELDS, "not_deterministic"}


def test_a_precision_that_the_device_lacks_ends_the_sweep_and_not_the_trial(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"precision 'tf32' is that of NVIDIA's GPUs .* would run on cpu here"
    ):
        run_attempt(task_of(tmp_path, precision="tf32"))


def test_checkpoints_of_a_processor_are_continued_as_before_and_those_of_cuda_where_all_of_it_is_the_same() -> (
    None
):
    here = describe_environment(device=torch.device("cpu"), precision="fp32", threads=1, kernels=NO_KERNELS)
    names = "source senet-ablations device precision threads fused winograd torch torchvision processor"
    assert list(same_environment(here)) == names.split()
    on_cuda = {**here, **dict.fromkeys(CUDA_FIELDS, "")}
    for field in CUDA_FIELDS:
        assert same_environment(on_cuda) != same_environment({**on_cuda, field: "another"})
