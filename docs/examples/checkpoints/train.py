"""A plain PyTorch loop that saves its state, stops when it is asked to, and goes on where it was."""

import argparse
import os
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import ablations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trial = ablations.trial()  # outside of a sweep: a trial without factors, in the working folder

    torch.manual_seed(options.seed)
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    images = images.float() / 16
    network = nn.Sequential(nn.Linear(64, options.width), nn.ReLU(), nn.Linear(options.width, 10))
    kinds = {"sgd": lambda p: torch.optim.SGD(p, 0.3), "adam": lambda p: torch.optim.Adam(p, 0.01)}
    optimizer = kinds[options.optimizer](network.parameters())
    order = torch.Generator().manual_seed(options.seed)
    begun, saved = 0, trial.folder / "last.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        order.set_state(state["order"])
        begun = state["epoch"]

    for epoch in range(begun, options.epochs):
        for batch in torch.randperm(1297, generator=order).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            wrong = network(images[1297:]).argmax(1) != labels[1297:]
        error = 100 * wrong.float().mean().item()
        trial.report(epoch + 1, error=error, loss=loss.item())
        save(saved, {"network": network.state_dict(), "optimizer": optimizer.state_dict(),
                     "order": order.get_state(), "epoch": epoch + 1})  # fmt: skip
        if trial.should_stop():
            return
    trial.result(error=error)


def save(path: Path, state: dict) -> None:
    """Save a state so that a kill in the midst leaves the one before."""
    draft = path.with_suffix(".draft")
    torch.save(state, draft)
    os.replace(draft, path)


if __name__ == "__main__":
    main()
