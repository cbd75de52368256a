"""A sweep of trials of unequal length, and which share of the time its workers were busy.

ResNets of 8, 14 and 20 layers with SE blocks, trained for one and for two epochs, four seeds each: 24 trials.
"""

from __future__ import annotations

from typing import Any

from bench.programs import add_data, program_parser, run_program, tell
from bench.sweeps import sweeping

BACKBONES = ("resnet8", "resnet14", "resnet20")
EPOCHS = (1.0, 2.0)


def study(images: int, batch: int, seeds: int) -> dict[str, Any]:
    """Return the study.

    Args:
        images: of an epoch.
        batch: images in a step.
        seeds: of each of the six rows.
    """
    data = {"name": "cifar10", "train_images": images, "test_images": 500}
    return {
        "baseline": {"backbone": BACKBONES[-1], "data": data},
        "recipe": {"base": "cifar-quick", "epochs": EPOCHS[0], "batch_size": batch},
        "axes": {"backbone": list(BACKBONES), "recipe.epochs": list(EPOCHS)},
        "design": "grid",
        "include_plain": False,
        "seeds": seeds,
    }


def main() -> None:
    """Train and print JSON, on a line of its own."""
    parser = program_parser(__doc__, images=5_000, batch=128, seeds=4, cores=2)
    add_data(parser)
    options = parser.parse_args()
    asked = study(options.images, options.batch, options.seeds)
    found = sweeping.run_sweep(asked, options.data, workers=options.cores)
    seconds = sorted(stay.ended - stay.begun for stay in found.stays)
    tell(
        workers=options.cores,
        trials=len(seconds),
        images=options.images,
        batch=options.batch,
        shortest_trial_seconds=seconds[0],
        longest_trial_seconds=seconds[-1],
        **sweeping.shares(found),
    )


if __name__ == "__main__":
    run_program(main)
