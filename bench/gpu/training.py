"""A short training on the device, as a worker of a sweep prepares it, with its step captured or as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import choose_device
from ablations.running.training.batches import on_device
from ablations.running.training.steps.captured import CapturedStep
from ablations.running.training.trainer import Trainer
from ablations.running.training.trial_training import make_trainer
from bench.our_training import CIFAR10, cifar_quick, images
from senet_core import SEVariant

BACKBONE, NETWORK = "resnet20", "SE-ResNet-20, r=16"


def device_here(*, dry: bool) -> torch.device:
    """Return the GPU, or in a dry run the processor, with one thread: what it does is small."""
    if not dry:
        return choose_device()
    torch.set_num_threads(1)
    return torch.device("cpu")


def trainer_on(
    device: torch.device, *, data: Path | None = None, count: int = 1280, captured: bool = True, **recipe: Any
) -> Trainer:
    """Return a training before its first step.

    Args:
        device: where; made ready for it.
        data: prepared CIFAR-10; None for random images.
        count: how many random ones.
        captured: whether the step may be captured as a graph.
        recipe: fields of the recipe that differ from `cifar-quick`.
    """
    changed = cifar_quick(**{"precision": "fp32", **recipe})
    prepare_device(device, changed.precision)
    trial = NetworkTrial(BACKBONE, SEVariant(), CIFAR10, changed, 0)
    trainer = make_trainer(trial, on_device(images(data, count), trial, device), device)
    trainer.model.train()
    if not captured and isinstance(trainer.take, CapturedStep):
        trainer.take = trainer.take.step
    return trainer


def how_taken(trainer: Trainer) -> str:
    """Return whether a training's steps are replayed from a graph."""
    if not isinstance(trainer.take, CapturedStep):
        return "no"
    return "no: " + trainer.take.why_not if trainer.take.why_not else "yes"


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
