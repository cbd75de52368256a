"""The learning rate and the size of the images, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.running.training.learning_rate.schedule import image_size, learning_rate, pixel_share


def _rates(total: int, **fields: Any) -> list[float]:
    recipe = Recipe(lr=0.4, epochs=1, **fields)
    return [learning_rate(recipe, step, total=total) for step in range(total)]


def test_linear_falls_to_zero_after_the_last_step() -> None:
    assert _rates(4, schedule="linear") == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_cosine_is_half_way_at_half_time() -> None:
    rates = _rates(4, schedule="cosine")
    assert rates[0] == 0.4
    assert rates[2] == pytest.approx(0.2)
    assert rates == sorted(rates, reverse=True)


def test_warm_up_rises_to_the_highest_rate_then_the_schedule_begins() -> None:
    assert _rates(6, warmup=1 / 3, schedule="linear") == pytest.approx([0.2, 0.4, 0.4, 0.3, 0.2, 0.1])


def test_a_constant_warm_up_stays_at_its_rate() -> None:
    rates = _rates(4, warmup=0.5, warmup_lr=0.01, schedule="constant")
    assert rates == [0.01, 0.01, 0.4, 0.4]


def test_steps_are_cut_at_each_milestone() -> None:
    rates = _rates(6, schedule="step", milestones=[1 / 3, 2 / 3], gamma=0.5)
    assert rates == pytest.approx([0.4, 0.4, 0.2, 0.2, 0.1, 0.1])


def test_the_paper_recipe_cuts_at_32k_and_48k_iterations() -> None:
    """He et al. 2015, section 4.2; 0.01 for the first 400 iterations as in He et al. 2016."""
    recipe = RECIPES["cifar-paper"]

    def rate(step: int) -> float:
        return learning_rate(recipe, step, total=recipe.steps(391))

    assert [rate(step) for step in (0, 399, 400, 31_999)] == [0.01, 0.01, 0.1, 0.1]
    assert rate(32_000) == pytest.approx(0.01)
    assert rate(47_999) == pytest.approx(0.01)
    assert rate(48_000) == pytest.approx(0.001)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_rate_of_a_named_recipe_is_positive_and_at_most_the_highest(name: str) -> None:
    recipe = RECIPES[name]
    total = recipe.steps(7)
    rates = [learning_rate(recipe, step, total=total) for step in range(0, total, 3)]
    assert all(0 < rate <= recipe.lr for rate in rates)
    assert max(rates) == pytest.approx(recipe.lr, rel=0.25)


def test_the_imagenet_recipe_cuts_where_footnote_2_says() -> None:
    recipe = RECIPES["imagenet-ablation"]
    per_epoch = 5_004
    total = recipe.steps(per_epoch)
    for epoch in (125, 200, 250):
        before, after = (learning_rate(recipe, epoch * per_epoch + step, total=total) for step in (-1, 0))
        assert after == pytest.approx(before / 10)


def test_a_shorter_training_keeps_its_shape() -> None:
    recipe = RECIPES["cifar-quick"]
    long = [learning_rate(recipe, step, total=1000) for step in range(0, 1000, 10)]
    short = [learning_rate(recipe, step, total=100) for step in range(100)]
    assert short == pytest.approx(long, abs=recipe.lr / 15)


def _sizes(total: int, full: int, start: int, full_from: float) -> list[int]:
    recipe = Recipe(epochs=1, start_size=start, full_size_from=full_from)
    found = [image_size(recipe, step, total=total, full=full) for step in range(total)]
    pixels = sum((size / full) ** 2 for size in found) / total
    assert pixel_share(recipe, total=total, full=full) == pytest.approx(pixels)
    return found


def test_images_grow_by_four_pixels_in_equal_parts_of_the_time() -> None:
    assert _sizes(10, 32, 20, 0.6) == [20, 20, 24, 24, 28, 28, 32, 32, 32, 32]
    assert _sizes(4, 28, 24, 0.5) == [24, 24, 28, 28]


def test_large_images_grow_by_more() -> None:
    assert _sizes(4, 224, 160, 0.5) == [160, 192, 224, 224]


@pytest.mark.parametrize(("total", "last"), [(1, [32]), (2, [16, 32]), (3, [16, 24, 32])])
def test_the_last_step_has_the_full_size(total: int, last: list[int]) -> None:
    assert _sizes(total, 32, 16, 0.999) == last


def test_images_that_start_at_their_full_size_do_not_change() -> None:
    assert _sizes(3, 32, 32, 0.9) == [32, 32, 32]
    assert [image_size(Recipe(epochs=1), step, total=2, full=32) for step in range(2)] == [32, 32]
    assert pixel_share(Recipe(epochs=1), total=2, full=32) == 1


def test_a_cosine_begins_anew_in_equal_cycles() -> None:
    once = _rates(4)
    assert _rates(12, restarts=2) == pytest.approx(once * 3)
    assert _rates(16, warmup=0.25, restarts=2)[4:] == pytest.approx(once * 3)


def test_no_cycle_is_shorter_than_a_step() -> None:
    assert _rates(3, restarts=100) == [0.4, 0.4, 0.4]
