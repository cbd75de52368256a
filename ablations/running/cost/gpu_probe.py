"""Probes of one GPU with several trials at once: each is made ready in a worker, then all train for some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost.probe import Probe, synthetic_data
from ablations.running.cost.trials_per_gpu import AtOnce
from ablations.running.data import Prepared, load, prepared_path
from ablations.running.data.content import check_content
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import choose_device
from ablations.running.machine.memory import device_memory_mib, lacks_memory
from ablations.running.training.batches import on_device
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import NotFinite, evaluate
from ablations.running.training.steps.captured import EAGER_STEPS
from ablations.running.training.trainer import Observer, Trainer
from ablations.running.training.trial_training import make_trainer
from ablations.running.trials.stopping import Stopped
from senet_core.plugins import load_installed_plugins, load_plugin_file

WARM_UP_STEPS = EAGER_STEPS + 2
SYNTHETIC_IMAGES = 2_048
PATIENCE_SECONDS = 300.0
_WAIT_EVERY = 16
"""Steps after which a probe waits for its GPU: else it would ask for more than it can do in its seconds."""

_START_SECONDS = 0.5
_MANY_STEPS = 10**9
_TINY_RATE = 1e-6  # at which no training diverges; it changes no time


@dataclass(frozen=True)
class Trained:
    """What one trial did while others trained.

    Attributes:
        per_hour: trials an hour at its speed.
        used_mib, total_mib: memory of the GPU, in use by all at the end, and in all.
    """

    per_hour: float
    used_mib: float
    total_mib: float


@dataclass
class _Ready:
    trainer: Trainer
    steps: int


_ready: _Ready | None = None  # of this process


def measure_at_once(
    trials: int,
    probe: Probe,
    make_executor: Callable[[int], Executor],
    *,
    make_ready: Callable[[Probe], bool] | None = None,
    train_for: Callable[[float, float], Trained | None] | None = None,
) -> AtOnce | None:
    """Train so many trials at once on one GPU for some seconds; None where they have too little memory.

    Args:
        trials: how many.
        probe: what, and for how long.
        make_executor: opens so many workers on one GPU; they are ended whatever happens.
        make_ready: what each worker does first, and returns whether it had the memory; None for `ready_trial`.
        train_for: what all of them do then; None for `train_ready`.

    Raises:
        Exception: whatever the network raises.
    """
    executor = make_executor(trials)
    try:
        prepared = [executor.submit(make_ready or ready_trial, probe) for _ in range(trials)]
        if not all(_results(prepared)):
            return None
        start = time.time() + _START_SECONDS
        asked = [executor.submit(train_for or train_ready, start, probe.seconds) for _ in range(trials)]
        found = [each for each in _results(asked) if each is not None]
        if len(found) < trials:
            return None
        return AtOnce(
            trials,
            sum(each.per_hour for each in found),
            max(each.used_mib for each in found),
            min(each.total_mib for each in found),
        )
    finally:
        kill = getattr(executor, "kill", executor.shutdown)
        kill()


def ready_trial(probe: Probe) -> bool:
    """Make a trial ready in this worker: its first steps, in which a graph is captured, and a test; in vain: False."""
    global _ready
    load_installed_plugins()
    for file in probe.plugins:
        load_plugin_file(file)
    trial, device = NetworkTrial.from_json(probe.trial), choose_device()
    prepare_device(device, trial.recipe.precision)
    try:
        data = _data(trial, probe)
        endless = _endless(trial)
        steps = trial.recipe.steps(len(data.train_labels) // endless.recipe.batch_size)
        data = on_device(data, endless, device)
        kernels = probe.kernels.available_on(device, trial.recipe.precision)
        trainer = make_trainer(endless, data, device, kernels=kernels)
        _train(trainer, lambda taken: taken >= WARM_UP_STEPS)
        with suppress(NotFinite):  # of a network that has hardly been trained
            evaluate(trainer.tested, data, device, trainer.precision)  # takes memory, too
        _ready = _Ready(trainer, steps)
        return True
    except Exception as error:
        if lacks_memory(error):
            return False
        raise


def train_ready(start: float, seconds: float) -> Trained | None:
    """Train the trial that was made ready; None where it has too little memory.

    Args:
        start: when, by the system's clock, which all workers share.
        seconds: for how long.
    """
    assert _ready is not None, "each worker has made one ready"
    trainer, device = _ready.trainer, _ready.trainer.device
    time.sleep(max(0.0, start - time.time()))
    began = time.perf_counter()

    def over(taken: int) -> bool:
        if taken % _WAIT_EVERY == 0:
            _wait_for(device)
        return time.perf_counter() - began >= seconds

    try:
        taken = _train(trainer, over)
        _wait_for(device)
    except Exception as error:
        if lacks_memory(error):
            return None
        raise
    passed = time.perf_counter() - began
    free, total = device_memory_mib(device)
    return Trained(3600 * taken / passed / _ready.steps, total - free, total)


class _Until(Supervisor):
    """Stops a training once a function of the steps taken says so."""

    def __init__(self, over: Callable[[int], bool]) -> None:
        super().__init__()
        self._over, self.taken = over, 0

    def after_step(
        self, step: int, state: Callable[[], Mapping[str, Any]], *, epoch_ended: bool, last: bool
    ) -> None:
        self.taken += 1
        if self._over(self.taken):
            raise Stopped


def _train(trainer: Trainer, over: Callable[[int], bool]) -> int:
    """Train until a function of the steps taken says so; return how many there were."""
    until = _Until(over)
    with suppress(Stopped):
        trainer.run(Observer(), until)
    return until.taken


def _endless(trial: NetworkTrial) -> NetworkTrial:
    """Return a trial whose training does not end, on images of full size."""
    changed = {"iterations": _MANY_STEPS, "epochs": None, "start_size": None, "full_size_from": None}
    rate = {"lr": _TINY_RATE, "warmup": 0.0, "warmup_lr": None}
    recipe = Recipe.model_validate({**trial.recipe.model_dump(), **changed, **rate})
    data = trial.data.model_copy(update={"validation_images": None})  # they would be tested after every epoch
    # weights of a file change neither time nor memory, frozen stages do
    return replace(trial, recipe=recipe.model_copy(update={"weights": None}), data=data)


def _data(trial: NetworkTrial, probe: Probe) -> Prepared:
    path = prepared_path(trial.data.located(probe.images), probe.data_dir)
    if not path.is_file():
        return synthetic_data(trial.data, max(SYNTHETIC_IMAGES, trial.recipe.batch_size))
    check_content(path)
    return load(path).subset(trial.data.train_images, trial.data.test_images)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _results(futures: list[Future[Any]]) -> list[Any]:
    return [future.result(timeout=PATIENCE_SECONDS) for future in futures]
