"""Plateau schedules: the rate is cut where the loss on watched images falls no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small import small_trial

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.running.data import Prepared
from ablations.running.training.learning_rate.plateau import Plateau
from ablations.running.training.learning_rate.schedule import learning_rate
from ablations.running.training.trial_training import train

CPU = torch.device("cpu")
PLATEAU = {"schedule": "plateau", "patience": 2, "cuts": 2, "watched": 0.25}


pytestmark = pytest.mark.usefixtures("on_one_thread")


def test_cuts_worked_by_hand() -> None:
    """Two epochs in a row without a lower loss cut; a cut begins to wait anew, and there are two."""
    plateau, recipe = Plateau(), small_trial(**PLATEAU).recipe
    found = []
    for loss in (3.0, 2.0, 2.0, 1.9, 1.9, 2.5, 1.8, 1.9, 1.9, 1.9, 1.9):
        plateau.note(loss, recipe)
        found.append(plateau.cuts)
    assert found == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_the_rate_falls_at_each_cut_after_the_warm_up() -> None:
    recipe = Recipe(epochs=1, lr=0.4, gamma=0.5, warmup=0.2, **PLATEAU)  # type: ignore[arg-type]
    assert learning_rate(recipe, 0, total=10, cuts=0) == pytest.approx(0.2)
    assert [learning_rate(recipe, 5, total=10, cuts=cuts) for cuts in range(3)] == pytest.approx(
        [0.4, 0.2, 0.1]
    )


def test_a_training_that_learns_nothing_is_cut_as_often_as_it_may_be(data: Prepared) -> None:
    """At so high a rate the loss falls for few epochs."""
    _, history, _ = train(small_trial(epochs=12, lr=3.0, **PLATEAU), data, CPU)
    rates = [epoch.lr for epoch in history]
    assert rates == sorted(rates, reverse=True)
    assert sorted(set(rates), reverse=True) == pytest.approx([3.0, 0.3, 0.03])


IMAGENET = """
title: Images
question: Does it run on a folder?
baseline: {backbone: resnet18, variant: {}, data: {name: image-folder, path: images, size: 32}}
recipe: {base: %s, epochs: 2, batch_size: 16}
axes: {squeeze: [avg]}
seeds: 1
"""


@pytest.mark.slow
@pytest.mark.parametrize("base", ["imagenet-ablation", "imagenet-plateau"])
def test_the_recipes_of_imagenet_run_on_a_folder_of_images_of_odd_sizes(
    base: str, tmp_path: Path, ablate: Any
) -> None:
    """Shorter, with smaller batches, and else as they stand."""
    _draw(tmp_path / "images")
    (tmp_path / "images.yaml").write_text(IMAGENET % base, encoding="utf-8")
    said = ablate("run", "images.yaml", "--no-tracking", "--workers", "1")
    assert said.status == 0, said.err
    record = (tmp_path / "results" / "images" / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(record) == 2
    assert all('"status":"finished"' in line.replace(" ", "") for line in record)


def _draw(folder: Path) -> None:
    """Draw 64 images of two classes, for training and test, each of another size."""
    from PIL import Image

    generator = torch.Generator().manual_seed(0)
    for number in range(64):
        part, kind = ("train", "test")[number % 4 == 3], ("dark", "light")[number // 4 % 2]
        height, width = (int(side) for side in torch.randint(33, 120, (2,), generator=generator))
        pixels = torch.randint(128, (height, width, 3), generator=generator) + 127 * (kind == "light")
        place = folder / part / kind
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.to(torch.uint8).numpy()).save(place / f"{number}.{('png', 'jpg')[number % 2]}")


def test_the_recipe_of_section_6_watches_and_waits() -> None:
    recipe = RECIPES["imagenet-plateau"]
    assert (recipe.schedule, recipe.gamma, recipe.cuts, recipe.lr) == ("plateau", 0.1, 3, 0.1)
    fixed = RECIPES["imagenet-ablation"]
    same = {"epochs", "schedule", "milestones", "patience", "cuts", "watched"}
    assert recipe.model_dump(exclude=same) == fixed.model_dump(exclude=same)
    assert recipe.trained_on(1_281_167) == 1_281_167 - 12_812
