"""The training loop of detectors and segmenters. Every step draws from a stream of its own.

A state is saved at the end of every epoch, and when the trial is asked to stop: a continued trial ends as one that was
never stopped. A trial that dies goes on from its last state.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from ablations.experiments.dense.images import Examples, ordered
from ablations.running.trials.stopping import Stopped
from senet_core.randomness import drawing_from

if TYPE_CHECKING:
    from ablations.planning.experiment import Context

Example = TypeVar("Example")
_CUTS = (2 / 3, 11 / 12)
"""Where of a training the schedule "step" divides the rate by ten: at epochs 8 and 11 of 12, as for detectors."""


class Training:
    """A training, which may have begun in an earlier attempt.

    Args:
        model: what is trained, in place.
        recipe: every field of it.
        images: how many there are to train on, at least a batch.
        context: of the trial.
    """

    def __init__(self, model: nn.Module, recipe: Mapping[str, Any], images: int, context: Context) -> None:
        self.model, self.recipe, self.context = model, recipe, context
        self.images = images
        self.each_epoch = images // recipe["batch_size"]
        self.steps = self.each_epoch * recipe["epochs"]
        self.device = torch.device(context.device)
        self.optimizer = _optimizer(model, recipe)
        self.loss, self._step, self._sum = math.nan, 0, 0.0
        self._restore(context.checkpoint.newest())

    def run(self, examples: Examples[Example], loss_of: Callable[[Sequence[Example], int], Tensor]) -> None:
        """Train to the end.

        Args:
            examples: to train on.
            loss_of: returns the loss of a batch, from its examples and the number of the step.

        Raises:
            Stopped: as it was asked to, with its state saved.
            ArithmeticError: the loss is infinite or not a number.
        """
        self.model.train()
        for batch in examples.batches(self._numbers()):
            if self.context.should_stop():
                self._save()
                raise Stopped
            with drawing_from(self.context.seed, "noise", self._step, device=self.device):
                self._sum += self._update(loss_of(batch, self._step))
            self._step += 1
            if self._step % self.each_epoch == 0:
                self._end_epoch(self._step // self.each_epoch)

    def _numbers(self) -> Iterator[list[int]]:
        size = self.recipe["batch_size"]
        return ordered(self.images, size, self.context, start=self._step, steps=self.steps)

    def _update(self, loss: Tensor) -> float:
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ArithmeticError(f"the loss of step {self._step + 1} is {value}")
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe["lr"] * rate_factor(self.recipe, self._step, self.steps)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.recipe["clip_norm"] is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe["clip_norm"])
        self.optimizer.step()
        return value

    def _end_epoch(self, epoch: int) -> None:
        self.loss, self._sum = self._sum / self.each_epoch, 0.0
        self._save()
        self.context.report(epoch, train_loss=self.loss, lr=self.optimizer.param_groups[0]["lr"])

    def _save(self) -> None:
        content = io.BytesIO()
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save({**state, "step": self._step, "sum": self._sum, "loss": self.loss}, content)
        self.context.checkpoint.save(content.getvalue())

    def _restore(self, content: bytes | None) -> None:
        if content is None:
            return
        state = torch.load(io.BytesIO(content), map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._step, self._sum, self.loss = state["step"], state["sum"], state["loss"]


def rate_factor(recipe: Mapping[str, Any], step: int, steps: int) -> float:
    """Return what the recipe's rate is multiplied by at a step: a linear rise, then the schedule.

    Args:
        recipe: every field of it.
        step: from 0.
        steps: of the whole training.
    """
    rising = recipe["warm_up_steps"]
    rise = min(1.0, (step + 1) / (rising + 1))
    if recipe["schedule"] == "cosine":
        return float(rise * 0.5 * (1 + math.cos(math.pi * step / steps)))
    return float(rise * 0.1 ** sum(step >= cut * steps for cut in _CUTS))


def _optimizer(model: nn.Module, recipe: Mapping[str, Any]) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    lr, decay = recipe["lr"], recipe["weight_decay"]
    if recipe["optimizer"] == "adamw":
        return torch.optim.AdamW(trained, lr=lr, betas=(recipe["momentum"], 0.999), weight_decay=decay)
    return torch.optim.SGD(trained, lr=lr, momentum=recipe["momentum"], weight_decay=decay)
