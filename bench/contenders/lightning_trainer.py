"""Lightning: its Trainer around the same network and loader, without logger, checkpoints and progress bar."""

from __future__ import annotations

import logging
import warnings

import lightning
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.contenders.plain_pytorch import train_transform
from bench.programs import run_program

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}


class Module(lightning.LightningModule):
    """The network, its loss and its optimiser."""

    def __init__(self, clock: setting.Clock) -> None:
        super().__init__()
        self.model, self.clock = SEResNet20(), clock

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        """Return the loss of a batch."""
        inputs, labels = batch
        return F.cross_entropy(self.model(inputs), labels)

    def on_train_batch_end(self, *unused: object) -> None:
        """Note the step."""
        self.clock.tick()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser."""
        return torch.optim.SGD(self.parameters(), **setting.SGD)


def main() -> None:
    """Train and time."""
    options = setting.arguments(__doc__, *PRECISIONS)
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(options.cores)
    images = setting.PILImages(options.data, train_transform())
    loader = DataLoader(
        images, options.batch, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True
    )
    clock = setting.Clock(options)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        precision=PRECISIONS[options.precision],
        max_steps=options.warmup + options.steps,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(clock), loader)
    clock.report()


if __name__ == "__main__":
    run_program(main)
