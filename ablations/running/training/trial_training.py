"""One trial: its network is built, trained and tested."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared
from ablations.running.machine.kernels import NO_KERNELS, Kernels
from ablations.running.machine.memory import peak_memory_mib, reset_peak_memory
from ablations.running.record.trial_record import EpochMetrics, TrialResult
from ablations.running.training.batches import Batches, on_device
from ablations.running.training.building import build_network
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import NotFinite, evaluate, hash_weights
from ablations.running.training.processes.group import ALONE, Group
from ablations.running.training.trainer import Diverged, Observer, Trainer
from senet_core.complexity import measure_complexity
from senet_core.errors import UserError
from senet_core.latency import measure_latency
from senet_core.randomness import drawing_from

_LATENCY_PASSES, _LATENCY_SECONDS = 50, 2.0


def train(
    trial: NetworkTrial,
    data: Prepared,
    device: torch.device,
    observer: Observer | None = None,
    supervisor: Supervisor | None = None,
    *,
    kernels: Kernels = NO_KERNELS,
    latency: bool = False,
    weights: Mapping[str, Tensor] | None = None,
) -> tuple[TrialResult, tuple[EpochMetrics, ...], npt.NDArray[np.bool_] | None]:
    """Train the trial's network, test it once at the end, and return the result.

    Where the trial's data hold validation images back, `data` has them in place of the test images, and the network
    is evaluated on them after every epoch, too.

    Everything random is drawn from streams of the trial's seed: backbone weights, gate weights, order of the
    images, augmentation. Trials of one seed therefore share what they have in common, whatever the variant.

    Args:
        trial: what to train.
        data: the prepared data set, already reduced to the trial's number of images.
        device: where to compute.
        observer: is called with the progress.
        supervisor: saves checkpoints and may stop the trial; a trial with checkpoints continues from the newest, and
            ends as if it had not been interrupted. It also says which processes train the trial, each of which returns
            the result.
        kernels: which to train with; they must be available.
        latency: whether to time one image through the trained network.
        weights: the state dict of the file that the recipe names.

    Returns:
        The result, the metrics of each epoch, and for each test image whether the trained network knows it; None for
        these where the trial is judged on validation images.

    Raises:
        Diverged: the loss became infinite or not a number.
        Stopped, TimedOut: as the supervisor decides.
        UserError: a name is unknown here, or the backbone lacks a stage.
    """
    observer, supervisor = observer or Observer(), supervisor or Supervisor()
    reset_peak_memory(device)
    data, group, checkpoints = on_device(data, trial, device), supervisor.group, supervisor.checkpoints
    trainer = make_trainer(trial, data, device, kernels=kernels, weights=weights, group=group)
    # dropout and the like draw from global generators, each process for its own images
    stream = ("noise",) if group.is_first else ("noise", "process", group.rank)
    with drawing_from(trial.seed, *stream, device=device):
        saved = None if checkpoints is None else group.from_first(checkpoints.newest)
        if saved is not None:
            trainer.restore(saved)
            for epoch in trainer.history:
                observer.epoch(epoch)
        trainer.run(observer, supervisor)
    history = tuple(trainer.history)
    tested = time.perf_counter()
    try:
        top1, top5, test_loss, known = evaluate(trainer.tested, data, device, trainer.precision, group)
    except NotFinite as error:
        raise Diverged(len(history)) from error
    test_seconds = time.perf_counter() - tested
    observer.trained(trainer.tested)
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
        weights_sha256=_common_hash(trainer.tested, group),
        latency_ms=_latency_ms(trainer, data, device) if latency and group.is_first else None,
    )
    return result, history, known if trial.data.validation_images is None else None


def make_trainer(
    trial: NetworkTrial,
    data: Prepared,
    device: torch.device,
    *,
    kernels: Kernels = NO_KERNELS,
    weights: Mapping[str, Tensor] | None = None,
    group: Group = ALONE,
) -> Trainer:
    """Return the trainer of a trial before its first step: network, batches and optimiser.

    Args:
        trial: what to train.
        data: as for `train`, on the device.
        device: where to compute.
        kernels: which to train with.
        weights: of the file that the recipe names.
        group: the processes that train it.

    Raises:
        UserError: a name is unknown here, or the backbone lacks a stage; or nobody has said in which precision.
    """
    precision = trial.recipe.precision
    if precision == "auto":
        raise UserError(
            "a trial is computed in fp32, bf16 or tf32: precision 'auto' is one of them once it is planned"
        )
    model, frozen = build_network(
        trial, num_classes=data.num_classes, in_channels=data.image_shape[0], weights=weights
    )
    model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    kernels.install(model)

    def validate(network: nn.Module) -> float:
        return evaluate(network, data, device, precision, group)[0]

    return Trainer(
        model,
        trial.recipe,
        Batches(data, trial, device, group),
        device,
        precision,
        kernels=kernels,
        frozen=frozen,
        validate=None if trial.data.validation_images is None else validate,
    )


def _common_hash(network: nn.Module, group: Group) -> str:
    """Return the hash of the weights, which all processes of a trial have in common.

    Raises:
        RuntimeError: they do not.
    """
    first, *others = group.gathered(hash_weights(network))
    if any(other != first for other in others):
        raise RuntimeError("the processes of the trial have ended with different weights")
    return first


def _latency_ms(trainer: Trainer, data: Prepared, device: torch.device) -> float:
    """Time one image through a trained network: the median over passes, with the threads that the trial has.

    On PyTorch's own code, as users of the network will run it.
    """
    trainer.kernels.take_out_of(trainer.tested)
    timed = measure_latency(
        {"": trainer.tested},
        batch_shape=(1, *data.image_shape),
        repetitions=_LATENCY_PASSES,
        limit_seconds=_LATENCY_SECONDS,
        device=device,
    )
    return timed[""].median
