"""Watched images: they are not trained on, and each epoch says the error on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import DATA, RECIPE, sixteen_pixels, small_study, small_trial

from ablations.errors import StudyError
from ablations.running.data import Prepared, open_prepared
from ablations.running.training.batches import Batches
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate
from ablations.running.training.trainer import Observer
from ablations.running.training.trial_training import make_trainer, train
from ablations.running.training.watched import trained_rows, watched_images

CPU = torch.device("cpu")
WATCHED = {"watched": 0.25}


pytestmark = pytest.mark.usefixtures("on_one_thread")


def test_watched_images_are_of_all_classes_and_no_batch_has_them(data: Prepared) -> None:
    trial = small_trial(batch_size=20, crop="none", flip=False, **WATCHED)
    trained, watched = trained_rows(data, trial.recipe)
    assert sorted([*trained.tolist(), *watched.tolist()]) == list(range(80))
    assert len(watched) == 20
    assert torch.bincount(data.train_labels[watched]).tolist() == [2] * 10
    batches = Batches(data, trial, CPU)
    assert batches.per_epoch == 3
    seen = torch.cat([batches.next(8)[1] for _ in range(3)])
    assert torch.equal(seen.sort().values, data.train_labels[trained].sort().values)
    assert batches.watched is not None
    assert torch.equal(batches.watched.test_labels, data.train_labels[watched])
    assert torch.equal(batches.watched.test_images, data.train_images[watched])


def test_larger_training_images_are_watched_as_test_images_are_seen() -> None:
    whole = sixteen_pixels()
    cropped = replace(whole, test_images=whole.test_images[:, 2:14, 2:14])
    batches = Batches(cropped, small_trial(batch_size=20, **WATCHED), CPU)
    assert batches.watched is not None
    rows = trained_rows(cropped, small_trial(**WATCHED).recipe)[1]
    assert torch.equal(batches.watched.test_images, whole.train_images[rows, 2:14, 2:14])


@pytest.mark.parametrize("changes", [{}, {"ema": 0.9}], ids=str)
def test_each_epoch_has_the_error_on_the_watched_images(changes: dict[str, Any], data: Prepared) -> None:
    """Of the network that is tested: where there is an average, of that."""
    trial = small_trial(epochs=3, **WATCHED, **changes)
    trainer = make_trainer(trial, data, CPU)
    trainer.run(Observer(), Supervisor())
    watched = watched_images(data, trained_rows(data, trial.recipe)[1])
    assert trainer.history[-1].validation_error == evaluate(trainer.tested, watched, CPU, "fp32")[0]
    assert all(epoch.validation_error is not None for epoch in trainer.history)


def test_watching_changes_nothing_of_the_training(data: Prepared) -> None:
    """It ends as on data that never had these images."""
    trial = small_trial(epochs=2, **WATCHED)
    rows = trained_rows(data, trial.recipe)[0]
    fewer = replace(data, train_images=data.train_images[rows], train_labels=data.train_labels[rows])
    result, history, known = train(trial, data, CPU)
    without, history_without, _ = train(small_trial(epochs=2), fewer, CPU)
    assert (result.weights_sha256, result.test_loss) == (without.weights_sha256, without.test_loss)
    assert [epoch.train_loss for epoch in history] == [epoch.train_loss for epoch in history_without]
    assert [epoch.validation_error for epoch in history_without] == [None, None]
    assert known is not None  # it is tested on the test images, as every trial


def test_a_choice_is_made_on_its_own_images(tmp_path: Path) -> None:
    chosen = DATA.for_choosing(40)
    trial = replace(small_trial(**WATCHED), data=chosen)
    result, history, _ = train(trial, open_prepared(chosen, tmp_path), CPU)
    assert history[-1].validation_error == result.top1_error


def test_a_batch_that_is_larger_than_what_is_trained_on_is_refused(data: Prepared) -> None:
    trial = small_trial(batch_size=61, **WATCHED)
    with pytest.raises(StudyError, match="batch_size is 61, and there are 60 training images"):
        Batches(data, trial, CPU)
    with pytest.raises(
        StudyError, match="batch_size is 61, and there are 60 training images and 20 to watch"
    ):
        small_study(recipe={**RECIPE.model_dump(), **WATCHED, "batch_size": 61})
