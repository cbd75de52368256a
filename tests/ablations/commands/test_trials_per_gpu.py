"""`ablate run --trials-per-gpu`: on a processor that stands in for a GPU, whose memory is a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablations.running.executors import local_factory
from ablations.running.machine import devices

HUNGRY = '''
"""A squeeze that takes the memory of a device until its process ends: there is room for one process."""
import os
import pathlib

import psutil
import torch
from torch import Tensor

from senet_core import SQUEEZES

MEMORY = pathlib.Path(__file__).with_name("memory")


@SQUEEZES.register("hungry", source="ours: for a test")
def hungry(x: Tensor) -> Tensor:
    """Average."""
    if x.device.type != "meta" and "CUDA_VISIBLE_DEVICES" in os.environ:
        MEMORY.mkdir(exist_ok=True)
        (MEMORY / str(os.getpid())).touch()
        alive = sorted(int(p.name) for p in MEMORY.iterdir() if psutil.pid_exists(int(p.name)))
        if alive[0] != os.getpid():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
    return x.mean(dim=(2, 3)) + x.amax(dim=(2, 3))
'''


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were a GPU of the name "0"; its workers find none, and compute on the processor."""
    monkeypatch.setattr(devices, "count_gpus", lambda: 1)
    monkeypatch.setattr(devices, "visible_gpus", lambda: ("0",))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def environments(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "results" / "small" / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    content = [json.loads(line) for line in lines]
    assert {line["status"] for line in content} == {"finished"}
    return [line["environment"] for line in content]


@pytest.mark.slow
@pytest.mark.usefixtures("one_gpu")
def test_a_trial_without_memory_beside_another_is_trained_after_it(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hungry.py").write_text(HUNGRY, encoding="utf-8")
    changes = ("axes={excitation: [sigmoid, tanh]}", "baseline.variant.squeeze=hungry", "include_plain=false")
    asked = ("--plugin", "hungry.py", *(word for change in changes for word in ("--set", change)))
    said = ablate("run", "small.yaml", *asked, "--trials-per-gpu", "2", "--no-tracking", "--no-report")
    assert said.status == 0, said.err
    assert (
        "GPU 0 had too little memory for 2 trials at once: a trial is begun again, and 1 at once"
        in said.out + said.err
    )
    assert "no MPS, as nvidia-cuda-mps-control is not installed" in said.out + said.err
    told = [environment.get("trials_per_gpu") for environment in environments(tmp_path)]
    assert None in told  # those that ran after it, alone


@pytest.mark.slow
@pytest.mark.usefixtures("one_gpu")
def test_a_probe_says_how_many_trials_share_the_gpu_and_the_record_does(
    ablate: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_factory, "available_cores", lambda: 2)
    said = ablate("run", "small.yaml", "--trials-per-gpu", "auto", "--no-tracking", "--no-report")
    assert said.status == 0, said.err
    [line] = [line for line in (said.out + said.err).splitlines() if line.startswith("trials on a GPU: ")]
    together = int(line.removeprefix("trials on a GPU: ")[0])
    assert "1: " in line
    assert {environment.get("trials_per_gpu", 1) for environment in environments(tmp_path)} == {together}


@pytest.mark.parametrize("value", ["0", "two", "-1", "Auto"])
def test_what_is_neither_a_number_nor_auto_is_refused(ablate: Callable[..., Any], value: str) -> None:
    said = ablate("run", "small.yaml", "--trials-per-gpu", value)
    assert said.status == 2
    assert f"'--trials-per-gpu': {value!r} is neither a whole number from 1 on nor 'auto'." in said.err


def test_a_probe_is_for_this_machines_workers(ablate: Callable[..., Any]) -> None:
    said = ablate("run", "small.yaml", "--trials-per-gpu", "auto", "--executor", "ray")
    assert said.status == 2
    assert (
        "--trials-per-gpu auto is for worker processes on this machine; with another executor give"
        in said.err
    )


PROGRAM = {
    "title": "A program",
    "question": "Does it matter?",
    "experiment": {
        "command": ["{python}", "-c", "print(1)", "{lr}", "{seed}"],
        "metrics": {"score": "maximise"},
    },
    "baseline": {"lr": 0.1},
    "axes": {"lr": [0.1, 0.2]},
    "seeds": 4,
    "margin": 0.01,
}


@pytest.mark.usefixtures("one_gpu")
def test_of_programs_a_number_says_how_many_share_the_gpu(ablate: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "program.yaml").write_text(yaml.safe_dump(PROGRAM), encoding="utf-8")
    said = ablate("run", "program.yaml", "--trials-per-gpu", "auto", "--no-tracking")
    assert said.status == 2
    assert "--trials-per-gpu auto is for studies that train networks; give a number" in said.err
