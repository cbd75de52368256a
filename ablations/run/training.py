"""One trial: a network is built, trained and tested. One loop, readable from top to bottom."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ablations.plan.recipe import Recipe
from ablations.plan.trial import Trial
from ablations.run.augment import Augmentation, normalise
from ablations.run.datasets import Prepared
from ablations.run.devices import choose_precision
from ablations.run.memory import peak_memory_mib, reset_peak_memory
from ablations.run.record import EpochMetrics, TrialResult
from ablations.run.schedule import learning_rate
from senet_core.complexity import measure_complexity
from senet_core.model import build_model
from senet_core.randomness import stream_seed

TEST_BATCH = 500


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
    recipe, precision = trial.recipe, choose_precision(trial.recipe.precision, device)
    reset_peak_memory(device)
    model = build_model(
        trial.backbone,
        trial.variant,
        num_classes=data.num_classes,
        in_channels=data.image_shape[0],
        seed=trial.seed,
    ).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = _optimiser(model, recipe)
    batches = _Batches(data, trial, device)
    total = max(1, recipe.steps(recipe.length, batches.per_epoch))
    history: list[EpochMetrics] = []
    started = epoch_started = time.perf_counter()
    loss_sum, errors, rate = torch.zeros((), device=device), torch.zeros((), device=device), 0.0
    seen = steps = 0
    model.train()
    for step, (images, labels) in enumerate(batches.forever(total)):
        rate = learning_rate(recipe, step, total=total, steps_per_epoch=batches.per_epoch)
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
    train_seconds = time.perf_counter() - started
    top1, top5, test_loss = test(model, data, device, precision)
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
        train_seconds=train_seconds,
        test_seconds=time.perf_counter() - started - train_seconds,
        peak_memory_mib=peak_memory_mib(device),
        weights_sha256=hash_weights(model),
    )
    return result, tuple(history)


@torch.no_grad()
def test(
    model: nn.Module, data: Prepared, device: torch.device, precision: str
) -> tuple[float, float | None, float]:
    """Test a network on the test images.

    Args:
        model: on the device, in channels_last.
        data: the prepared data set.
        device: where to compute.
        precision: "fp32" or "bf16".

    Returns:
        Top-1 error and top-5 error (None where there are at most five classes) in per cent, and the mean
        cross-entropy.

    Raises:
        Diverged: an output is not a finite number.
    """
    model.eval()
    wrong1 = wrong5 = 0
    loss = 0.0
    for start in range(0, len(data.test_labels), TEST_BATCH):
        images = data.test_images[start : start + TEST_BATCH].to(device)
        labels = data.test_labels[start : start + TEST_BATCH].to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(
                normalise(images, data.mean, data.std, dtype=torch.float32, channels_last=True)
            ).float()
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        best = logits.topk(min(5, data.num_classes), dim=1).indices == labels[:, None]
        wrong1 += int((~best[:, 0]).sum())
        wrong5 += int((~best.any(dim=1)).sum())
    if not math.isfinite(loss):
        raise Diverged(0)
    images_tested = len(data.test_labels)
    top5 = 100 * wrong5 / images_tested if data.num_classes > 5 else None
    return 100 * wrong1 / images_tested, top5, loss / images_tested


def hash_weights(model: nn.Module) -> str:
    """Return the SHA-256 of a network's weights and statistics, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        # the bytes of the values: NumPy has no bfloat16
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class _Batches:
    """Augmented training batches; order and augmentation come from streams of the trial's seed."""

    def __init__(self, data: Prepared, trial: Trial, device: torch.device) -> None:
        recipe = trial.recipe
        count = len(data.train_labels)
        self.size = min(recipe.batch_size, count)
        self.per_epoch = count // self.size  # the last, incomplete batch of an epoch is left out
        self._images, self._labels, self._device = data.train_images, data.train_labels, device
        self._mean, self._std = data.mean, data.std
        self._order = torch.Generator().manual_seed(stream_seed(trial.seed, "order"))
        self._drawn = torch.Generator().manual_seed(stream_seed(trial.seed, "augmentation"))
        self._augment = Augmentation(
            crop=recipe.crop,
            pad=recipe.pad,
            flip=recipe.flip,
            cutout=recipe.cutout,
            size=data.image_shape[1],
            fill=data.mean,
        )

    def forever(self, total: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `total` batches: images (B, C, H, W), normalised, in channels_last, and labels (B,)."""
        for step in range(total):
            place = step % self.per_epoch
            if place == 0:
                order = torch.randperm(len(self._labels), generator=self._order)
            chosen = order[place * self.size : (place + 1) * self.size]
            images = self._augment(self._images[chosen], self._drawn).to(self._device, non_blocking=True)
            yield (
                normalise(images, self._mean, self._std, dtype=torch.float32, channels_last=True),
                self._labels[chosen].to(self._device, non_blocking=True),
            )


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
