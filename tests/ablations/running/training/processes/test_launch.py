"""Two processes train a trial as one does, and end together, whatever becomes of one of them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load
from small import DATA, one_thread, small_trial

from ablations.running.data import ensure_prepared
from ablations.running.record.outcomes import Outcomes
from ablations.running.training.checkpoint import read_checkpoint
from ablations.running.training.network_task import NetworkTask
from ablations.running.training.processes.launch import ProcessLost
from ablations.running.trials.task import TaskOutcome

ROUNDING = {"rel": 1e-5}
"""Of losses in float32 after a few steps: batch norms of each process by itself, and gradients that are not weighed by
shares, differ by more than ten times as much."""

FAULT = """
import os, signal
from ablations.running.training.checkpoint import Checkpoints
from ablations.running.training.trainer import Trainer
from senet_core import SQUEEZES
SQUEEZES.register("of-a-test", source="ours: a plug-in has an entry")(lambda x: x.mean((2, 3)))
Checkpoints.due = lambda self, *, epoch_ended: epoch_ended
advance = Trainer._advance
def with_a_fault(self, rate):
    if self.step == 5 and os.environ["RANK"] == "1":
        {fault}
    advance(self, rate)
Trainer._advance = with_a_fault
"""


def task_of(folder: Path, processes: int, **recipe: Any) -> NetworkTask:
    ensure_prepared(DATA, folder / "data")
    trial = small_trial(**{"epochs": 4, **recipe})
    return NetworkTask(
        key=trial.key,
        trial=trial.to_json(),
        data_dir=folder / "data",
        running_dir=folder / "small" / "running",
        checkpoint_dir=folder / "small" / "checkpoints" / trial.key,
        stop_file=folder / "small" / "running" / "stop",
        processes=processes,
    )


def run(task: NetworkTask, stop: bool = False) -> TaskOutcome:
    with one_thread():
        return task.run(lambda: stop)


def losses(outcome: TaskOutcome) -> list[float]:
    assert outcome.failure is None, outcome.failure
    return [epoch.values["train_loss"] for epoch in outcome.history]


def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    """Shares of 16 and 17 images, and all that a recipe does, but for noise in the network."""
    recipe = {
        "batch_size": 33, "lr": 0.1, "mixup": 0.2, "cutmix": 0.5, "cutout": 2, "erasing": 0.3, "ema": 0.5,
        "clip_norm": 1.0, "label_smoothing": 0.1,
    }  # fmt: skip
    one = run(task_of(tmp_path / "one", 1, **recipe))
    two = run(task_of(tmp_path / "two", 2, **recipe))
    assert losses(two) == pytest.approx(losses(one), **ROUNDING)
    assert one.result is not None
    assert two.result is not None
    assert two.result.value("test_loss") == pytest.approx(one.result.value("test_loss"), **ROUNDING)
    assert [epoch.values["train_error"] for epoch in two.history] == [
        e.values["train_error"] for e in one.history
    ]
    known = [Outcomes.from_bytes(outcome.outcomes or b"").right.tolist() for outcome in (one, two)]
    assert known[0] == known[1]  # image by image, in the order of one process
    assert (two.environment["processes"], two.environment["threads"]) == (2, 1)
    assert "processes" not in one.environment
    assert not two.environment["fused"]  # whose batch norms are those of one process


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_other_optimisers_and_odd_numbers_of_processes_agree_too(tmp_path: Path, optimizer: str) -> None:
    recipe = {"optimizer": optimizer, "lr": 0.003, "loss": "bce", "epochs": 2}
    one = run(task_of(tmp_path / "one", 1, **recipe))
    three = run(task_of(tmp_path / "three", 3, **recipe))
    assert losses(three) == pytest.approx(losses(one), **ROUNDING)


@pytest.mark.slow
def test_a_killed_process_ends_the_others_at_once_and_the_trial_goes_on_from_its_checkpoint(
    tmp_path: Path,
) -> None:
    """Noise, averages and streams of both processes are in the checkpoint: the end is that without the kill."""
    recipe = {"dropout": 0.2, "stochastic_depth": 0.3, "ema": 0.5, "mixup": 0.2}
    whole = run(task_of(tmp_path / "whole", 2, **recipe))
    task = task_of(tmp_path / "killed", 2, **recipe)
    with pytest.raises(ProcessLost, match="process 2 of 2 ended by SIGKILL before the trial did"):
        run(faulty(task, tmp_path, "os.kill(os.getpid(), signal.SIGKILL)"))
    saved = read_checkpoint(max(task.checkpoint_dir.glob("*.pt")))
    assert saved["context"]["processes"] == 2
    assert len(saved["state"]["history"]) == 2
    again = run(task)
    assert losses(again) == losses(whole)
    assert again.result is not None
    assert whole.result is not None
    assert again.result.value("weights_sha256") == whole.result.value("weights_sha256")
    kept = saved["state"]["history"]
    assert [e.values["seconds"] for e in again.history[: len(kept)]] == [epoch["seconds"] for epoch in kept]


@pytest.mark.slow
def test_an_error_in_one_process_is_the_failure_of_the_trial(tmp_path: Path) -> None:
    task = task_of(tmp_path, 2)
    began = time.monotonic()
    outcome = run(faulty(task, tmp_path, "raise MemoryError('no room in the second process')"))
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == ("oom", "no room in the second process")
    assert outcome.failure.epoch == 3
    assert time.monotonic() - began < 120  # the other one waits for it in vain, and is not waited for


@pytest.mark.slow
def test_a_signal_stops_both_after_one_step_and_other_numbers_of_processes_begin_anew(tmp_path: Path) -> None:
    task = task_of(tmp_path, 2, epochs=2000)
    outcome = run(task, stop=True)
    assert (outcome.stopped, outcome.signalled, outcome.result) == (True, True, None)
    [checkpoint] = task.checkpoint_dir.glob("*.pt")
    assert len(read_checkpoint(checkpoint)["state"]["others"]) == 1
    alone = run(replace(task, processes=1), stop=True)
    assert alone.stopped
    newest = {
        read_checkpoint(path)["context"].get("processes"): path for path in task.checkpoint_dir.glob("*.pt")
    }
    assert newest.keys() == {None, 2}  # what two have saved is not continued by one: it would end otherwise


UNUSED = """
import torch
from ablations.running.training import trial_training
from senet_core import SQUEEZES
SQUEEZES.register("of-a-test", source="ours: a plug-in has an entry")(lambda x: x.mean((2, 3)))
build = trial_training.build_network
def with_an_unused_weight(*args, **words):
    model, frozen = build(*args, **words)
    model.register_parameter("unused", torch.nn.Parameter(torch.ones(2, 2)))
    return model, frozen
trial_training.build_network = with_an_unused_weight
from ablations.running.data import content
def again(whole):
    raise RuntimeError("the data were read as a whole once more")
content.verify = again
"""


@pytest.mark.slow
def test_a_weight_that_no_process_uses_stays_as_it_is_and_none_checks_the_data_again(tmp_path: Path) -> None:
    """As in one process: it has no gradient, and so no weight decay. The worker has read the data as a whole."""
    plugin = tmp_path / "unused.py"
    plugin.write_text(UNUSED, encoding="utf-8")
    task = replace(task_of(tmp_path, 2), plugins=(str(plugin),), keep_weights=True)
    outcome = run(task)
    assert outcome.failure is None
    kept = load(outcome.weights or b"")
    assert kept["unused"].tolist() == [[1, 1], [1, 1]]


def faulty(task: NetworkTask, folder: Path, fault: str) -> NetworkTask:
    """Return the task with a fault of its second process in the third epoch."""
    plugin = folder / "fault.py"
    plugin.write_text(FAULT.format(fault=fault), encoding="utf-8")
    return replace(task, plugins=(str(plugin),))
