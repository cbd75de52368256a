"""One trial: a network is built, trained and tested. One loop, readable from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from ablations.plan.recipe import Recipe
from ablations.plan.trial import Trial
from ablations.run.batches import Batches
from ablations.run.datasets import Prepared
from ablations.run.devices import choose_precision
from ablations.run.memory import peak_memory_mib, reset_peak_memory
from ablations.run.record import EpochMetrics, TrialResult
from ablations.run.schedule import learning_rate
from ablations.run.testing import NotFinite, hash_weights, test
from senet_core.complexity import measure_complexity
from senet_core.model import build_model
from senet_core.randomness import drawing_from


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
    """Who is told while a trial runs.

    Attributes:
        epoch: called after every epoch with its metrics.
        progress: called now and then with the steps done and the steps in all.
    """

    epoch: Callable[[EpochMetrics], None] = lambda metrics: None
    progress: Callable[[int, int], None] = lambda done, total: None


def train(
    trial: Trial, data: Prepared, device: torch.device, observer: Observer | None = None
) -> tuple[TrialResult, tuple[EpochMetrics, ...]]:
    """Train the trial's network and test it once, at the end.

    Everything random is drawn from streams of the trial's seed: backbone weights, gate weights, order of the
    images, augmentation. Trials of one seed therefore share what they have in common, whatever the variant.

    Args:
        trial: what to train.
        data: the prepared data set, already reduced to the trial's number of images.
        device: where to compute.
        observer: who is told of progress.

    Returns:
        What was measured, and the epochs.

    Raises:
        Diverged: the loss became infinite or not a number.
        UserError: a name is unknown here, or the backbone lacks a stage.
    """
    observer = observer or Observer()
    precision = choose_precision(trial.recipe.precision, device)
    reset_peak_memory(device)
    model = build_model(
        trial.backbone,
        trial.variant,
        num_classes=data.num_classes,
        in_channels=data.image_shape[0],
        seed=trial.seed,
    ).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with drawing_from(trial.seed, "noise", device=device):  # dropout and the like draw from global generators
        history = _fit(model, trial, Batches(data, trial, device), device, precision, observer)
    tested = time.perf_counter()
    try:
        top1, top5, test_loss = test(model, data, device, precision)
    except NotFinite as error:
        raise Diverged(len(history)) from error
    test_seconds = time.perf_counter() - tested
    complexity = measure_complexity(
        trial.backbone, trial.variant, image_shape=data.image_shape, num_classes=data.num_classes
    )
    result = TrialResult(
        top1_error=top1,
        top5_error=top5,
        test_loss=test_loss,
        train_loss=history[-1].train_loss,
        train_error=history[-1].train_error,
        parameters=complexity.parameters,
        multiply_adds=complexity.multiply_adds,
        bottleneck_widths={str(stage): max(widths) for stage, widths in complexity.bottleneck_widths.items()},
        train_seconds=sum(epoch.seconds for epoch in history),
        test_seconds=test_seconds,
        peak_memory_mib=peak_memory_mib(device),
        weights_sha256=hash_weights(model),
    )
    return result, history


def _fit(
    model: nn.Module, trial: Trial, batches: Batches, device: torch.device, precision: str, observer: Observer
) -> tuple[EpochMetrics, ...]:
    """Train a network in place; returns its epochs."""
    recipe = trial.recipe
    optimiser = _optimiser(model, recipe)
    total = recipe.steps(batches.per_epoch)
    history: list[EpochMetrics] = []
    epoch_started = time.perf_counter()
    loss_sum, errors, rate = torch.zeros((), device=device), torch.zeros((), device=device), 0.0
    seen = steps = 0
    model.train()
    for step, (images, labels) in enumerate(batches.forever(total)):
        rate = learning_rate(recipe, step, total=total)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(images)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        loss_sum += loss.detach()
        errors += (logits.detach().argmax(1) != labels).sum()
        seen, steps = seen + len(labels), steps + 1
        observer.progress(step + 1, total)
        if (step + 1) % batches.per_epoch == 0 or step + 1 == total:
            mean_loss = loss_sum.item() / steps  # the only synchronisation with the device in an epoch
            if not math.isfinite(mean_loss):
                raise Diverged(len(history) + 1)
            now = time.perf_counter()
            history.append(
                EpochMetrics(
                    len(history) + 1, mean_loss, 100 * errors.item() / seen, rate, now - epoch_started
                )
            )
            observer.epoch(history[-1])
            epoch_started, seen, steps = now, 0, 0
            loss_sum.zero_()
            errors.zero_()
    return tuple(history)


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    weights = [p for p in model.parameters() if p.ndim > 1 or recipe.decay_norm_and_bias]
    others = [p for p in model.parameters() if not (p.ndim > 1 or recipe.decay_norm_and_bias)]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
    )
