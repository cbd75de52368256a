"""The order of a sweep's trials: seed by seed, and within a seed the longest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ablations.planning.networks.datasets import dataset
from ablations.planning.networks.row import NetworkRow, network_row
from ablations.planning.networks.trial import NetworkTrial, network_trial
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.training.learning_rate.schedule import pixel_share
from ablations.running.training.networks import Networks, data_shape

ASSUMED_IMAGES = 50_000
"""Training images of a folder, which are counted only when it is prepared."""


def longest_first(trials: Sequence[Trial], row_of: Callable[[Trial], Row], *, workers: int) -> list[Trial]:
    """Order trials so that the end of a sweep waits for short ones, and an interrupted sweep has comparable rows.

    Seeds stay in their order: whatever is trained when a sweep stops has every row on the first seeds. Only within a
    seed do trials with more multiply-adds in all come first. With one worker nothing is gained, and nothing changed.

    Args:
        trials: seed by seed.
        row_of: the row of a trial.
        workers: trials at a time.
    """
    if workers < 2 or not trials:
        return list(trials)
    networks = Networks()
    costs = {
        trial.key: _multiply_adds(network_trial(trial), network_row(row_of(trial)), networks)
        for trial in trials
    }
    rounds = {seed: place for place, seed in enumerate(dict.fromkeys(trial.seed for trial in trials))}
    return sorted(trials, key=lambda trial: (rounds[trial.seed], -costs[trial.key]))


def _multiply_adds(trial: NetworkTrial, row: NetworkRow, networks: Networks) -> float:
    """Return the multiply-adds of a trial's forward passes; 0 where the network cannot be built, to fail last."""
    made_of = networks.structure(row)
    if made_of is None:
        return 0.0
    images = trial.data.train_images or dataset(trial.data.name).train_images or ASSUMED_IMAGES
    trained_on = trial.recipe.trained_on(images)
    batch = min(trial.recipe.batch_size, trained_on)
    steps, side = trial.recipe.steps(trained_on // batch), data_shape(trial.data).image_shape[1]
    return made_of.multiply_adds * steps * batch * pixel_share(trial.recipe, total=steps, full=side)
