"""timm: its transforms, loader with prefetching, optimiser factory and the body of its train.py, channels-last."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from timm.data import create_loader
from timm.optim import create_optimizer_v2
from timm.utils import AverageMeter
from torchvision import transforms

from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.programs import run_program


def main() -> None:
    """Train and time."""
    options = setting.arguments(__doc__, "fp32", "bf16")
    torch.set_num_threads(options.cores)
    images = setting.PILImages(options.data, None)
    loader = create_loader(
        images,
        input_size=(3, 32, 32),
        batch_size=options.batch,
        is_training=True,
        hflip=0.5,
        color_jitter=0.0,
        mean=setting.MEAN,
        std=setting.STD,
        num_workers=2,
        device=torch.device("cpu"),
        use_prefetcher=True,
    )
    # create_loader has resized crops for training; the rest of its pipeline, to uint8 NumPy arrays, stays
    images.transform.transforms[0] = transforms.RandomCrop(32, padding=4)
    model = SEResNet20().to(memory_format=torch.channels_last)
    rates = {name: setting.SGD[name] for name in ("lr", "momentum", "weight_decay")}
    optimiser = create_optimizer_v2(model, opt="sgd", **rates)  # whose sgd is Nesterov's
    loss_function = torch.nn.CrossEntropyLoss()
    losses, clock = AverageMeter(), setting.Clock(options)
    bf16 = options.precision == "bf16"
    model.train()
    for inputs, labels in setting.endless(loader):
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
            loss = loss_function(model(inputs), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.update(loss.item(), inputs.size(0))
        clock.tick()
        if clock.done:
            break
    clock.report()


if __name__ == "__main__":
    run_program(main)
