"""The training loop; its state can be saved after any step and continued bit for bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from ablations.planning.networks.recipe import Recipe
from ablations.running.machine.kernels import NO_KERNELS, Kernels
from ablations.running.record.trial_record import EpochMetrics
from ablations.running.training.averaging import Average
from ablations.running.training.batches import Batches
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import NotFinite, evaluate
from ablations.running.training.learning_rate.plateau import Plateau
from ablations.running.training.learning_rate.schedule import image_size, learning_rate
from ablations.running.training.optimizers import make_optimiser
from ablations.running.training.steps.captured import CapturedStep
from ablations.running.training.steps.cuda_graph import CudaGraphs, is_captured
from ablations.running.training.steps.step import Step
from senet_core.training.freezing import stay_frozen


class Diverged(ArithmeticError):
    """The loss is no longer a finite number.

    Attributes:
        epoch: in which it happened, from 1.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the training loss is not a finite number in epoch {epoch}")
        self.epoch = epoch


@dataclass(frozen=True)
class Observer:
    """Functions that are called while a trial runs.

    Attributes:
        epoch: called after every epoch with its metrics.
        progress: called after every step with the steps done and the total.
        trained: called at the end with the network that was tested.
    """

    epoch: Callable[[EpochMetrics], None] = lambda metrics: None
    progress: Callable[[int, int], None] = lambda done, total: None
    trained: Callable[[nn.Module], None] = lambda network: None


class Trainer:
    """Trains a network by a recipe.

    Args:
        model: on the device, in channels_last.
        recipe: how to train.
        batches: what to train on.
        device: where to compute.
        precision: one of `PRECISIONS` of recipes.
        kernels: which the network trains with.
        frozen: layers of the network that are not trained.
        validate: returns the network's error on the images of a choice, in per cent; called after every epoch. None
            where it takes part in none: the error on watched images is recorded then, if there are any.

    Attributes:
        step: steps done.
        total: steps of the whole training.
        history: metrics of the finished epochs.
        average: of the weights, where the recipe asks for it.
        group: the processes that train the network together, those of the batches.
        plateau: what a plateau schedule knows; None for other schedules.
        take: takes a step: as it is written, or on CUDA by a graph.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        batches: Batches,
        device: torch.device,
        precision: str,
        *,
        kernels: Kernels = NO_KERNELS,
        frozen: tuple[nn.Module, ...] = (),
        validate: Callable[[nn.Module], float] | None = None,
    ) -> None:
        self._validate, self._frozen = validate, frozen
        self.model, self.recipe, self.batches = model, recipe, batches
        self.device, self.precision, self.kernels = device, precision, kernels
        self.group = batches.group
        captured = is_captured(recipe, device) and self.group.size == 1
        rate = torch.zeros((), device=device) if captured else None
        self.optimiser = make_optimiser(model, recipe, rate)
        step = Step(model, recipe, self.optimiser, device, precision, kernels, rate, self.group)
        self._sums = step.loss_sum, step.errors
        self.take = CapturedStep(step, CudaGraphs()) if captured else step
        self.average = Average(model, recipe.ema) if recipe.ema > 0 else None
        self.step, self.total = 0, recipe.steps(batches.per_epoch)
        self.history: list[EpochMetrics] = []
        self.plateau = Plateau() if recipe.schedule == "plateau" else None
        self._seen = self._steps = 0
        self._epoch_started, self._seconds_before = time.perf_counter(), 0.0

    @property
    def tested(self) -> nn.Module:
        """The network that is tested: the average, or the one that is trained."""
        return self.model if self.average is None else self.average.module

    def run(self, observer: Observer, supervisor: Supervisor) -> None:
        """Train to the end.

        Raises:
            Diverged: the loss became infinite or not a number.
            Stopped, TimedOut: as the supervisor decides.
        """
        self._into_training()
        self._epoch_started = time.perf_counter() - self._seconds_before
        while self.step < self.total:
            cuts = 0 if self.plateau is None else self.plateau.cuts
            rate = learning_rate(self.recipe, self.step, total=self.total, cuts=cuts)
            self._advance(rate)
            epoch_ended = self.step % self.batches.per_epoch == 0 or self.step == self.total
            if epoch_ended:
                self._end_epoch(rate)
                observer.epoch(self.history[-1])
            observer.progress(self.step, self.total)
            supervisor.after_step(
                self.step, self.state, epoch_ended=epoch_ended, last=self.step == self.total
            )

    def state(self) -> dict[str, Any]:
        """Return the state of the training, as tensors, numbers and text, for a checkpoint; by all processes."""
        cuda = self.device.type == "cuda"
        of_each = {
            "noise": torch.get_rng_state(),
            "noise_on_device": torch.cuda.get_rng_state(self.device) if cuda else None,
            "sums": [value.cpu() for value in self._sums],
        }
        first, *others = self.group.gathered(of_each)
        return {
            **first,
            **({"others": others} if others else {}),
            **({} if self.plateau is None else {"plateau": self.plateau.state()}),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "batches": self.batches.state(),
            "history": [asdict(epoch) for epoch in self.history],
            "counts": [self._seen, self._steps],
            "epoch_seconds": time.perf_counter() - self._epoch_started,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; sets the global random generators, which the caller restores."""
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.batches.restore(state["batches"])
        own = state if self.group.is_first else state["others"][self.group.rank - 1]
        torch.set_rng_state(own["noise"])
        if own["noise_on_device"] is not None:
            torch.cuda.set_rng_state(own["noise_on_device"], self.device)
        if self.plateau is not None:
            self.plateau = Plateau(**state["plateau"])
        self.step = state["step"]
        self.history = [EpochMetrics(**epoch) for epoch in state["history"]]
        for here, value in zip(self._sums, own["sums"], strict=True):
            here.copy_(value)
        self._seen, self._steps = state["counts"]
        self._seconds_before = state["epoch_seconds"]

    def _into_training(self) -> None:
        self.model.train()
        stay_frozen(self._frozen)

    def _advance(self, rate: float) -> None:
        """Take one step of the optimiser."""
        size = image_size(self.recipe, self.step, total=self.total, full=self.batches.side)
        images, targets = self.batches.next(size)
        self.take(images, targets, rate)
        if self.average is not None:
            self.average.update_parameters(self.model)
        self._seen, self._steps = self._seen + self.batches.size, self._steps + 1
        self.step += 1

    def _end_epoch(self, rate: float) -> None:
        loss_sum, errors = self._sums
        self.group.add_up(loss_sum, errors)
        mean_loss = loss_sum.item() / self._steps  # only here does an epoch wait for the device
        if not math.isfinite(mean_loss):
            raise Diverged(len(self.history) + 1)
        now = time.perf_counter()
        error = 100 * errors.item() / self._seen
        seconds, number = now - self._epoch_started, len(self.history) + 1
        watched = self._watch(number)
        held_back = watched if self._validate is None else self._validate(self.tested)
        self._into_training()
        self.history.append(EpochMetrics(number, mean_loss, error, rate, seconds, held_back))
        self._epoch_started, self._seen, self._steps = time.perf_counter(), 0, 0
        loss_sum.zero_()
        errors.zero_()

    def _watch(self, epoch: int) -> float | None:
        """Return the error on the watched images in per cent, if any; a plateau schedule sees the loss on them."""
        watched = self.batches.watched
        if watched is None:
            return None
        try:
            error, _, loss, _ = evaluate(self.tested, watched, self.device, self.precision, self.group)
        except NotFinite as not_finite:
            raise Diverged(epoch) from not_finite
        if self.plateau is not None:
            self.plateau.note(loss, self.recipe)
        return error
