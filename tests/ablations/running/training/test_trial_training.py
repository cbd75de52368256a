"""One trial: paired streams, a test set read once, and an end that is the same every time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import DATA, sixteen_pixels, small_trial

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.losses import LOSSES
from ablations.planning.networks.recipes.optimizers import OPTIMIZERS
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared, open_prepared
from ablations.running.record.trial_record import EpochMetrics
from ablations.running.training import trial_training as training
from ablations.running.training.batches import Batches
from ablations.running.training.evaluation import hash_weights
from ablations.running.training.optimizers import make_optimiser
from ablations.running.training.trainer import Diverged, Observer
from ablations.running.training.trial_training import train
from senet_core.blocks.slots import INTEGRATIONS
from senet_core.errors import UserError
from senet_core.model import build_model
from senet_core.variants.variant import PAPER_SE, SEVariant

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("on_one_thread")


VARIANTS = [
    None,
    PAPER_SE,
    *(SEVariant(squeeze=name) for name in ("avg", "max", "none", "gem")),
    *(SEVariant(excitation=name) for name in ("relu", "sigmoid", "tanh")),
    *(SEVariant(integration=name) for name in INTEGRATIONS),
    SEVariant(reduction=2, stages=(3,), bias=True),
]


def _first_batches(
    trial: NetworkTrial, data: Prepared, count: int
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    batches = Batches(data, trial, CPU)
    return [batches.next(batches.side) for _ in range(count)]


@pytest.mark.parametrize("variant", VARIANTS[1:], ids=str)
def test_every_variant_sees_the_batches_of_the_plain_network(variant: SEVariant, data: Prepared) -> None:
    """Seen by the network itself, in a whole training: nothing that a variant draws may shift the batches."""
    seen: dict[str, list[torch.Tensor]] = {}
    for name, chosen in (("plain", None), ("variant", variant)):
        inputs = seen.setdefault(name, [])
        handle = torch.nn.modules.module.register_module_forward_pre_hook(
            lambda module, args, kept=inputs: (
                kept.append(args[0].clone()) if type(module).__name__ == "CifarResNet" else None
            )
        )
        try:
            train(small_trial(chosen, cutout=2), data, CPU)
        finally:
            handle.remove()
    real = [images for images in seen["plain"] if not images.is_meta]
    other = [images for images in seen["variant"] if not images.is_meta]
    assert len(real) == len(other) == 2 * 2 + 1  # two epochs of two batches, and one batch of the test
    assert all(torch.equal(a, b) for a, b in zip(real, other, strict=True))


def test_small_images_are_the_same_images_smaller(data: Prepared) -> None:
    """What is drawn does not depend on the size, so that trainings with and without small images stay paired."""
    trial = small_trial(start_size=8, full_size_from=0.5)
    growing, whole = Batches(data, trial, CPU), Batches(data, small_trial(), CPU)
    (small, _), (large, _) = growing.next(4), whole.next(8)
    assert (small.shape, large.shape) == ((32, 1, 4, 4), (32, 1, 8, 8))
    assert (small - torch.nn.functional.avg_pool2d(large, 2)).abs().mean() < 0.2 * large.std()
    assert torch.equal(growing.next(8)[0], whole.next(8)[0])


def test_rows_with_and_without_erasing_share_all_else(data: Prepared) -> None:
    """What is drawn image by image has streams of its own: crops, flips and the order stay as they were."""
    plain = _first_batches(small_trial(cutout=2), data, 4)
    for recipe in ({"erasing": 0.3}, {"randaugment": 1}):
        changed = _first_batches(small_trial(cutout=2, **recipe), data, 4)
        for (one, labels), (other, other_labels) in zip(plain, changed, strict=True):
            assert torch.equal(labels, other_labels)
            alike = (one == other).flatten(1).all(dim=1)
            assert (
                0 < alike.sum() < len(one)
            )  # those of which nothing was erased, or that the identity changed
    mixed = _first_batches(small_trial(cutout=2, mixup=0.2), data, 4)
    for (one, labels), (other, shares) in zip(plain, mixed, strict=True):
        share = shares[0, labels[0]].item()
        if labels[0] != labels[-1]:
            torch.testing.assert_close(other[:1], share * one[:1] + (1 - share) * one[-1:])


def test_images_above_the_datas_size_are_refused(data: Prepared) -> None:
    with pytest.raises(UserError, match="start_size is 12 pixels, and the images have 8"):
        Batches(data, small_trial(start_size=12, full_size_from=0.5), CPU)


def test_seeds_and_epochs_see_other_batches(data: Prepared) -> None:
    one = _first_batches(small_trial(seed=0), data, 4)
    other = _first_batches(small_trial(seed=1), data, 2)
    assert not torch.equal(one[0][0], other[0][0])
    assert not torch.equal(one[0][1], one[2][1])  # the second epoch is shuffled anew


def test_an_epoch_shows_each_image_once(data: Prepared) -> None:
    trial = small_trial(batch_size=20, crop="none", flip=False)
    images = torch.cat([images for images, _ in _first_batches(trial, data, 4)])
    shown = torch.unique(images.flatten(1), dim=0)
    stored = torch.unique(data.train_images.flatten(1), dim=0)
    assert len(images) == 80
    assert len(shown) == len(stored)


def test_the_same_trial_ends_with_the_same_weights(data: Prepared) -> None:
    first, history, _ = train(small_trial(), data, CPU)
    again, again_history, _ = train(small_trial(), data, CPU)
    other, *_ = train(small_trial(seed=1), data, CPU)
    assert first.weights_sha256 == again.weights_sha256 != other.weights_sha256
    assert first.top1_error == again.top1_error
    assert [epoch.train_loss for epoch in history] == [epoch.train_loss for epoch in again_history]


def test_the_global_generator_is_left_alone(data: Prepared) -> None:
    before = torch.random.get_rng_state()
    train(small_trial(), data, CPU)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_test_images_are_read_once_after_the_last_epoch(
    data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    real = training.evaluate

    def watched(*args: object) -> object:
        happened.append("test")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "evaluate", watched)
    train(small_trial(), data, CPU, Observer(epoch=lambda metrics: happened.append(f"epoch {metrics.epoch}")))
    assert happened == ["epoch 1", "epoch 2", "test"]


def test_errors_and_loss_are_those_of_a_plain_evaluation(data: Prepared) -> None:
    model = build_model("resnet8", PAPER_SE, num_classes=10, in_channels=1, seed=0)
    top1, top5, loss, known = training.evaluate(model, data, CPU, "fp32")
    mean, std = torch.tensor(data.mean), torch.tensor(data.std)
    images = ((data.test_images.float() - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = model.eval()(images)
    ranks = (logits > logits.gather(1, data.test_labels[:, None])).sum(1)
    assert top1 == pytest.approx(100 * (ranks > 0).float().mean().item())
    assert np.array_equal(known, (ranks == 0).numpy())
    assert top5 == pytest.approx(100 * (ranks > 4).float().mean().item())
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(logits, data.test_labels).item(), rel=1e-4)


def test_the_history_and_progress_cover_the_training(data: Prepared) -> None:
    epochs: list[EpochMetrics] = []
    steps: list[tuple[int, int]] = []
    result, history, _ = train(
        small_trial(epochs=2.5, batch_size=20),
        data,
        CPU,
        Observer(epochs.append, lambda *step: steps.append(step)),
    )
    assert list(history) == epochs
    assert [epoch.epoch for epoch in history] == [1, 2, 3]  # the last one is half an epoch
    assert steps == [(done, 10) for done in range(1, 11)]
    assert result.train_loss == history[-1].train_loss
    assert all(epoch.seconds > 0 for epoch in history)


def test_a_loss_that_explodes_is_divergence(data: Prepared) -> None:
    with pytest.raises(Diverged, match="not a finite number in epoch") as caught:
        train(small_trial(lr=1e20, epochs=3), data, CPU)
    assert caught.value.epoch >= 1


def test_weight_decay_spares_norms_and_biases_on_request() -> None:
    model = build_model("resnet8", SEVariant(bias=True), num_classes=10, in_channels=1)
    spared = make_optimiser(model, small_trial(weight_decay=0.1, decay_norm_and_bias=False).recipe)
    decayed = make_optimiser(model, small_trial(weight_decay=0.1, decay_norm_and_bias=True).recipe)
    assert {group["weight_decay"] for group in decayed.param_groups} == {0.1}
    by_decay = {group["weight_decay"]: group["params"] for group in spared.param_groups}
    assert {parameter.ndim for parameter in by_decay[0.0]} == {1}
    assert min(parameter.ndim for parameter in by_decay[0.1]) > 1
    total = sum(len(group["params"]) for group in spared.param_groups)
    assert total == len(list(model.parameters()))


WEIGHTS = f"sha256:{0:064}"
STEP = {"schedule": "step", "milestones": [0.5]}
PLATEAU = {"schedule": "plateau", "patience": 1, "cuts": 3, "watched": 0.2, "epochs": 6.0, "lr": 3.0}
"""At so high a rate that the loss does not fall for long."""
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"epochs": 3.0}, {}),
    ({"epochs": None, "iterations": 3}, {}),
    ({"batch_size": 16}, {}),
    ({"weights": WEIGHTS}, {}),
    ({"freeze": [2]}, {"weights": WEIGHTS}),
    ({"freeze": [2, 3]}, {"weights": WEIGHTS, "freeze": [3]}),
    ({"optimizer": "adamw"}, {}),
    ({"optimizer": "lion"}, {}),
    ({"optimizer": "muon"}, {}),
    ({"lr": 0.06}, {}),
    ({"momentum": 0.8}, {}),
    ({"momentum": 0.8}, {"optimizer": "muon"}),
    ({"nesterov": False}, {}),
    ({"nesterov": False}, {"optimizer": "muon"}),
    ({"betas": [0.5, 0.999]}, {"optimizer": "adamw"}),
    ({"betas": [0.5, 0.99]}, {"optimizer": "lion"}),
    ({"betas": [0.5, 0.999]}, {"optimizer": "muon"}),
    ({"eps": 1e-3}, {"optimizer": "adamw"}),
    ({"eps": 1e-3}, {"optimizer": "muon"}),
    *(({"weight_decay": 0.1}, {"optimizer": name}) for name in OPTIMIZERS),
    *(({"decay_norm_and_bias": False}, {"optimizer": name, "weight_decay": 0.5}) for name in OPTIMIZERS),
    ({"clip_norm": 0.1}, {}),
    ({"schedule": "constant"}, {}),
    (STEP, {}),
    ({"gamma": 0.5}, STEP),
    ({"milestones": [0.25]}, STEP),
    ({"restarts": 1}, {}),
    (PLATEAU, {}),
    ({"patience": 2}, PLATEAU),
    ({"cuts": 1}, {**PLATEAU, "epochs": 14.0}),
    ({"watched": 0.3}, {}),
    ({"watched": 0.3}, PLATEAU),
    ({"warmup": 0.5}, {}),
    ({"warmup_lr": 0.001}, {"warmup": 0.5}),
    ({"loss": "bce"}, {}),
    ({"loss": "focal"}, {}),
    ({"focal_gamma": 1}, {"loss": "focal"}),
    *(({"label_smoothing": 0.1}, {"loss": name}) for name in LOSSES),
    ({"crop": "none"}, {}),
    ({"crop": "resized"}, {}),
    ({"pad": 2}, {}),
    ({"flip": False}, {}),
    ({"cutout": 3}, {}),
    ({"randaugment": 1}, {}),
    ({"magnitude": 25}, {"randaugment": 2}),
    ({"erasing": 0.5}, {}),
    ({"mixup": 0.2}, {}),
    ({"mixup": 0.2}, {"cutmix": 1.0}),
    ({"cutmix": 1.0}, {}),
    *(({"mixup": 0.2}, {"loss": name}) for name in LOSSES),
    ({"dropout": 0.2}, {}),
    ({"stochastic_depth": 0.2}, {}),
    ({"ema": 0.5}, {}),
    ({"start_size": 8, "full_size_from": 0.5}, {}),
    ({"full_size_from": 0.9}, {"start_size": 8, "full_size_from": 0.5}),
    ({"precision": "bf16"}, {}),
]
"""Changes of one field each, and what must be said beside it for the field to act."""


@pytest.mark.parametrize(("change", "beside"), CHANGES, ids=str)
def test_every_field_of_the_recipe_changes_the_weights(
    change: dict[str, Any], beside: dict[str, Any], data: Prepared
) -> None:
    """Against a training that differs in this field alone."""
    images = sixteen_pixels() if "full_size_from" in change else data
    state = build_model("resnet8", num_classes=10, in_channels=1, seed=7).state_dict()
    after, *_ = train(small_trial(**{**beside, **change}), images, CPU, weights=state)
    before, *_ = train(small_trial(**beside), images, CPU, weights=state)
    assert after.weights_sha256 != before.weights_sha256


def test_and_no_field_was_forgotten_above() -> None:
    assert {field for change, _ in CHANGES for field in change} == Recipe.model_fields.keys()


def test_training_learns(tmp_path: Path) -> None:
    """Digits are easy: far below the 90 % of guessing after a few epochs."""
    whole = open_prepared(DATA.model_copy(update={"train_images": 600, "test_images": 200}), tmp_path)
    result, history, _ = train(small_trial(epochs=8, lr=0.1, flip=False), whole, CPU)
    assert result.top1_error < 30
    assert history[-1].train_loss < history[0].train_loss / 2
    assert result.top5_error is not None
    assert result.top5_error < result.top1_error


def test_the_weights_hash_is_of_values_and_names() -> None:
    model = torch.nn.Linear(2, 2)
    before = hash_weights(model)
    assert hash_weights(model) == before
    with torch.no_grad():
        model.weight[0, 0] = math.nextafter(float(model.weight[0, 0]), 1e3) + 1e-6
    assert hash_weights(model) != before
