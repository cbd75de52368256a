"""What one would train with instead: plain PyTorch, compiled or not, Lightning and timm, as their users write it."""

from __future__ import annotations

import logging
import warnings
from argparse import Namespace
from typing import Any

import torch
from torch.nn import functional
from torch.utils.data import DataLoader

from ablations.running.machine.cores import available_cores
from ablations.running.machine.cuda.device import prepare_device
from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.contenders.plain_pytorch import train_transform
from bench.gpu.gauge import Gauge

MOST_WORKERS = 8
_LOG_EVERY = 50


def as_pytorch_begins(device: torch.device, precision: str) -> None:
    """Set the rounding, and leave the choice of algorithms to PyTorch."""
    prepare_device(device, precision)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False


def loader_workers(*, dry: bool) -> int:
    """Return how many processes a loader has."""
    return 0 if dry else min(MOST_WORKERS, available_cores())


def loader(options: Namespace, device: torch.device) -> DataLoader[Any]:
    """Return torchvision's transforms and PyTorch's loader."""
    workers = loader_workers(dry=options.dry)
    return DataLoader(
        setting.PILImages(None, train_transform()),
        options.batch,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )


def plain(options: Namespace, device: torch.device, gauge: Gauge) -> None:
    """Train as most write it; `--how compiled` with torch.compile."""
    as_pytorch_begins(device, options.precision)
    model = SEResNet20().to(device).train()
    network: torch.nn.Module = model
    if options.how == "compiled":
        compiled: Any = torch.compile(model, backend="eager" if options.dry else "inductor")
        network = compiled
    optimiser = torch.optim.SGD(model.parameters(), **setting.SGD)
    batches = setting.endless(loader(options, device))
    bf16 = options.precision == "bf16"

    def step() -> None:
        inputs, labels = (each.to(device, non_blocking=True) for each in next(batches))
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = functional.cross_entropy(network(inputs).float(), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    gauge.take(step)


def lightning(options: Namespace, device: torch.device, gauge: Gauge) -> None:
    """Train with Lightning's Trainer, without logger, checkpoints and progress bar."""
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = SEResNet20()

        def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
            inputs, labels = batch
            return functional.cross_entropy(self.model(inputs), labels)

        def on_train_batch_end(self, *unused: object) -> None:
            gauge.tick()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), **setting.SGD)

    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    as_pytorch_begins(device, options.precision)
    trainer = lightning.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if options.precision == "bf16" else "32-true",
        max_steps=gauge.total,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), loader(options, device))


def timm(options: Namespace, device: torch.device, gauge: Gauge) -> None:
    """Train with timm's loader, which normalises on the GPU, its optimiser and the body of its train.py."""
    from timm.data import create_loader
    from timm.optim import create_optimizer_v2
    from timm.utils import AverageMeter
    from torchvision import transforms

    as_pytorch_begins(device, options.precision)
    images = setting.PILImages(None, None)
    batches = create_loader(
        images,
        input_size=(3, 32, 32),
        batch_size=options.batch,
        is_training=True,
        hflip=0.5,
        color_jitter=0.0,
        mean=setting.MEAN,
        std=setting.STD,
        num_workers=loader_workers(dry=options.dry),
        persistent_workers=loader_workers(dry=options.dry) > 0,
        pin_memory=device.type == "cuda",
        device=device,
        use_prefetcher=True,
    )
    # create_loader has resized crops for training; the rest of its pipeline, to uint8 NumPy arrays, stays
    images.transform.transforms[0] = transforms.RandomCrop(32, padding=4)
    model: Any = SEResNet20().to(device=device, memory_format=torch.channels_last)
    rates = {name: setting.SGD[name] for name in ("lr", "momentum", "weight_decay")}
    optimiser = create_optimizer_v2(model, opt="sgd", **rates)  # whose sgd is Nesterov's
    loss_function, losses = torch.nn.CrossEntropyLoss(), AverageMeter()
    endless, taken = setting.endless(batches), 0
    model.train()

    def step() -> None:
        nonlocal taken
        inputs, labels = next(endless)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
            loss = loss_function(model(inputs), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        taken += 1
        if taken % _LOG_EVERY == 0:
            losses.update(loss.item(), inputs.size(0))

    gauge.take(step)


PEERS = {"plain": plain, "compiled": plain, "lightning": lightning, "timm": timm}
"""By the name that the program takes."""
