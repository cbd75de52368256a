"""One trial: a network is built, trained and tested."""

from __future__ import annotations

import time

import torch
from torch import nn

from ablations.planning.trial import Trial
from ablations.running.data import Prepared
from ablations.running.machine.devices import choose_precision
from ablations.running.machine.kernels import NO_KERNELS, Kernels
from ablations.running.machine.memory import peak_memory_mib, reset_peak_memory
from ablations.running.record.trial_record import EpochMetrics, TrialResult
from ablations.running.training.batches import Batches
from ablations.running.training.checkpoint import Keeper
from ablations.running.training.evaluation import NotFinite, hash_weights, test
from ablations.running.training.trainer import Diverged, Fit, Observer
from senet_core.complexity import measure_complexity
from senet_core.kernels.winograd import without_winograd
from senet_core.latency import measure_latency
from senet_core.model import build_model
from senet_core.randomness import drawing_from

_LATENCY_PASSES, _LATENCY_SECONDS = 50, 2.0


def train(
    trial: Trial,
    data: Prepared,
    device: torch.device,
    observer: Observer | None = None,
    keeper: Keeper | None = None,
    *,
    kernels: Kernels = NO_KERNELS,
    latency: bool = False,
) -> tuple[TrialResult, tuple[EpochMetrics, ...]]:
    """Train the trial's network and test it once, at the end.

    Where the trial's data hold validation images back, `data` has them in the place of the test images, and the
    network is judged on them after every epoch, too.

    Everything random is drawn from streams of the trial's seed: backbone weights, gate weights, order of the
    images, augmentation. Trials of one seed therefore share what they have in common, whatever the variant.

    Args:
        trial: what to train.
        data: the prepared data set, already reduced to the trial's number of images.
        device: where to compute.
        observer: who is told of progress.
        keeper: saves checkpoints and may stop the trial; a trial that has checkpoints continues from the newest, and
            ends as if it had not been interrupted.
        kernels: which to train with; they must be there.
        latency: whether to time one image through the trained network.

    Returns:
        What was measured, and the epochs.

    Raises:
        Diverged: the loss became infinite or not a number.
        Stopped, TimedOut: as the keeper decides.
        UserError: a name is unknown here, or the backbone lacks a stage.
    """
    observer, keeper = observer or Observer(), keeper or Keeper()
    reset_peak_memory(device)
    fit = prepare_fit(trial, data, device, kernels=kernels)
    with drawing_from(trial.seed, "noise", device=device):  # dropout and the like draw from global generators
        saved = keeper.checkpoints.newest() if keeper.checkpoints is not None else None
        if saved is not None:
            fit.restore(saved)
            for epoch in fit.history:
                observer.epoch(epoch)
        fit.run(observer, keeper)
    history = tuple(fit.history)
    tested = time.perf_counter()
    try:
        top1, top5, test_loss = test(fit.model, data, device, fit.precision)
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
        weights_sha256=hash_weights(fit.model),
        latency_ms=_latency_ms(fit.model, data, device) if latency else None,
    )
    return result, history


def prepare_fit(trial: Trial, data: Prepared, device: torch.device, *, kernels: Kernels = NO_KERNELS) -> Fit:
    """Build the trial's network, its batches and its optimiser, before the first step.

    Raises:
        UserError: a name is unknown here, or the backbone lacks a stage.
    """
    model = build_model(
        trial.backbone,
        trial.variant,
        num_classes=data.num_classes,
        in_channels=data.image_shape[0],
        seed=trial.seed,
    ).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    kernels.put_into(model)
    precision = choose_precision(trial.recipe.precision, device)

    def validate(network: nn.Module) -> float:
        return test(network, data, device, precision)[0]

    return Fit(
        model,
        trial.recipe,
        Batches(data, trial, device),
        device,
        precision,
        kernels=kernels,
        validate=None if trial.data.validation_images is None else validate,
    )


def _latency_ms(model: nn.Module, data: Prepared, device: torch.device) -> float:
    """Time one image through a trained network: the median over passes, with the threads that the trial has.

    On PyTorch's own code, as whoever uses the network will run it.
    """
    timed = measure_latency(
        {"": without_winograd(model)},
        image_shape=data.image_shape,
        repetitions=_LATENCY_PASSES,
        limit_seconds=_LATENCY_SECONDS,
        device=device,
    )
    return timed[""].median
