"""A training that begins with images which the data or a network cannot give or take is refused beforehand."""

from __future__ import annotations

import pytest
from small import small_study

from ablations.planning.design import Design
from ablations.running.training.refusals.small_images import refuse_small_images
from senet_core.errors import UserError


def study(start: int, backbone: str = "resnet8", data: str = "cifar10") -> Design:
    baseline = {"backbone": backbone, "variant": "se:reduction=8", "data": data}
    recipe = {"epochs": 1, "start_size": start, "full_size_from": 0.5}
    return small_study(baseline=baseline, recipe=recipe, axes={})


def test_sizes_that_data_and_network_allow_pass() -> None:
    for start in (8, 20, 32):
        refuse_small_images(study(start))
    refuse_small_images(study(8, data="digits"))


def test_a_size_above_the_datas_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        refuse_small_images(study(12, data="digits"))
    expected = (
        "study 'small', row 'SE r=8': start_size is 12 pixels, and images of 'digits' have 8; give at most 8"
    )
    assert str(caught.value) == expected


def test_a_size_that_the_network_cannot_take_is_refused_with_the_least_that_it_takes() -> None:
    """VGG halves its maps five times: 28 pixels leave nothing of the last one."""
    with pytest.raises(
        UserError, match="28 pixels, and vgg16_bn cannot take such images; give at least 32"
    ) as caught:
        refuse_small_images(study(28, "vgg16_bn"))
    assert "\n" not in str(caught.value)


def test_a_network_that_cannot_take_the_data_at_all_is_left_to_its_trials() -> None:
    refuse_small_images(study(8, "vgg16_bn", "digits"))
    refuse_small_images(study(8, "vgg16_bn", "fashion-mnist"))
