"""Plain PyTorch as most write it: torchvision transforms, a DataLoader with workers, fp32, one process."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import transforms

from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.programs import run_program


def train_transform() -> transforms.Compose:
    """Pad and crop, flip, to a normalised tensor."""
    return transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(setting.MEAN, setting.STD),
        ]
    )


def main() -> None:
    """Train and time."""
    options = setting.arguments(__doc__)
    torch.set_num_threads(options.cores)
    images = setting.PILImages(options.data, train_transform())
    loader = DataLoader(images, options.batch, shuffle=True, num_workers=2, drop_last=True)
    model = SEResNet20()
    optimiser = torch.optim.SGD(model.parameters(), **setting.SGD)
    clock = setting.Clock(options)
    model.train()
    for inputs, labels in setting.endless(loader):
        loss = F.cross_entropy(model(inputs), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        clock.tick()
        if clock.done:
            break
    clock.report()


if __name__ == "__main__":
    run_program(main)
