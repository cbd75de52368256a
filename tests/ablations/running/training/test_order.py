"""Seeds in their order, and within a seed the longest trials first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from small import small_study, small_trial

from ablations.planning.design import Design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.training.order import longest_first


def ordered(study: Design, trials: Sequence[NetworkTrial], workers: int = 2) -> list[tuple[int, str]]:
    rows = {row.trial(seed).key: row for seed in study.seeds for row in study.rows}
    found = longest_first(trials, lambda trial: rows[trial.key], workers=workers)
    return [(trial.seed, trial.backbone) for trial in found]


def test_within_a_seed_the_longest_come_first_and_seeds_keep_their_order() -> None:
    study = small_study(axes={"backbone": ["resnet14", "resnet8", "resnet20"]}, include_plain=False)
    rounds = ["resnet20", "resnet14", "resnet8"]
    assert ordered(study, study.trials) == [(seed, name) for seed in (0, 1) for name in rounds]


def test_one_worker_takes_the_studys_order() -> None:
    study = small_study(axes={"backbone": ["resnet8", "resnet20"]}, include_plain=False)
    assert ordered(study, study.trials, workers=1) == [(trial.seed, trial.backbone) for trial in study.trials]


def test_a_longer_training_counts_as_much_as_a_larger_network() -> None:
    row = small_study().rows[0]
    short, long = small_trial(epochs=1.0), small_trial(epochs=3.0)
    assert longest_first([short, long], lambda trial: row, workers=2) == [long, short]


def test_small_images_make_a_training_shorter() -> None:
    row = small_study().rows[0]
    data = DataSpec(name="cifar10")
    whole = replace(small_trial(), data=data)
    growing = replace(small_trial(start_size=16, full_size_from=0.5), data=data)
    assert longest_first([growing, whole], lambda trial: row, workers=2) == [whole, growing]
