"""A sweep of trials of unequal length, and which share of the time its workers were busy.

ResNets of 8, 14 and 20 layers with SE blocks, trained for one and for two epochs, four seeds each: 24 trials.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import sweeping

BACKBONES = ("resnet8", "resnet14", "resnet20")
EPOCHS = (1.0, 2.0)


def study(images: int, batch: int, seeds: int) -> dict[str, Any]:
    """Return the study.

    Args:
        images: of an epoch.
        batch: images in a step.
        seeds: of each of the six rows.
    """
    return {
        "baseline": {
            "backbone": BACKBONES[-1],
            "data": {"name": "cifar10", "train_images": images, "test_images": 500},
        },
        "recipe": {"base": "cifar-quick", "epochs": EPOCHS[0], "batch_size": batch},
        "axes": {"backbone": list(BACKBONES), "recipe.epochs": list(EPOCHS)},
        "design": "grid",
        "include_plain": False,
        "seeds": seeds,
    }


def main() -> None:
    """Train and print JSON, on a line of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="prepared CIFAR-10; random images without it")
    parser.add_argument("--images", type=int, default=5_000, help="of an epoch")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=4, help="of each of the six rows")
    parser.add_argument("--cores", type=int, default=2, help="workers of one thread")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name:
        folder = Path(name)
        data = sweeping.data_folder(options.data, folder)
        asked = study(options.images, options.batch, options.seeds)
        found = sweeping.run_sweep(asked, data, folder, workers=options.cores)
    trials = sorted(stay.ended - stay.begun for stay in found.stays)
    print(
        json.dumps(
            {
                "workers": options.cores,
                "trials": len(trials),
                "images": options.images,
                "batch": options.batch,
                "shortest_trial_seconds": trials[0],
                "longest_trial_seconds": trials[-1],
                **sweeping.shares(found),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
