"""The crops of an image, worked out by hand on images whose pixels say where they are."""

from __future__ import annotations

import torch
from torch import Tensor

from ablations.planning.networks.views import Views
from ablations.running.testing.crops import crops_of, with_short_side


def places(height: int, width: int) -> Tensor:
    """Return one image in which each pixel's first channel is its row and its second its column, both plus one."""
    image = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    image[0, :, :, 0] = torch.arange(1, height + 1)[:, None]
    image[0, :, :, 1] = torch.arange(1, width + 1)
    return image


def test_one_crop_of_a_prepared_image_is_the_image() -> None:
    image = places(32, 32)
    assert torch.equal(crops_of(image, Views(), 32, original=False), image[None])


def test_five_crops_of_a_small_image_are_of_it_with_a_border_of_zeros() -> None:
    seen = crops_of(places(32, 32), Views(5), 32, original=False)[:, 0]
    assert seen.shape == (5, 32, 32, 3)
    middle = [[13, 13], [13, 21], [21, 13], [21, 21], [17, 17]]
    assert seen[:, 16, 16, :2].tolist() == middle, "shifted by the border, 4 of 32 pixels"
    assert (seen[0, :4] == 0).all()
    assert (seen[0, 4:, 4:, :2] > 0).all()
    assert torch.equal(seen[4], places(32, 32)[0]), "the centre is the image"


def test_ten_crops_are_five_and_their_mirror_images() -> None:
    image = places(32, 32)
    five = crops_of(image, Views(5), 32, original=False)
    ten = crops_of(image, Views(10), 32, original=False)
    assert torch.equal(ten[:5], five)
    assert torch.equal(ten[5:], five.flip(3))
    assert not torch.equal(ten[5:], five)


def test_an_original_is_resized_to_eight_sevenths_and_has_no_border() -> None:
    seen = crops_of(places(32, 64), Views(5), 28, original=True)[:, 0]
    assert seen[:, 0, 0, :2].tolist() == [[1, 1], [1, 37], [5, 1], [5, 37], [3, 19]]
    assert (seen[..., :2] > 0).all()


def test_a_shorter_side_that_is_given_takes_the_place_of_the_border() -> None:
    seen = crops_of(places(32, 32), Views(5, size=28, short=32), 32, original=False)[:, 0]
    assert seen[:, 0, 0, :2].tolist() == [[1, 1], [1, 5], [5, 1], [5, 5], [3, 3]]


def test_another_size_is_that_of_the_whole_image() -> None:
    seen = crops_of(places(32, 32), Views(size=40), 32, original=False)
    assert seen.shape == (1, 1, 40, 40, 3)
    assert seen[0, 0, 0, 0, 0] == 1
    assert seen[0, 0, 39, 39, 0] == 32, "nothing is cut off"


def test_144_crops_are_of_four_scales_three_squares_and_six_crops_each() -> None:
    image = places(64, 96)
    seen = crops_of(image, Views(144), 56, original=True)[:, 0]
    assert seen.shape == (144, 56, 56, 3)
    assert torch.equal(seen[72:], seen[:72].flip(2)), "the second half mirrors the first"
    # at 8/7 the shorter side is 64, so that nothing is resized: left, central and right square of 64 x 64
    corners = seen[:18, 0, 0, :2].tolist()
    for square, left in enumerate((0, 16, 32)):
        expected = [[1, left + 1], [1, left + 9], [9, left + 1], [9, left + 9], [5, left + 5]]
        assert corners[6 * square : 6 * square + 5] == expected
    for number, side in enumerate((64, 72, 80, 88)):
        square = with_short_side(image, side)[:, :, :side]
        assert torch.equal(seen[18 * number + 5], with_short_side(square, 56)[0]), "the square made small"


def test_an_upright_image_has_upper_central_and_lower_squares() -> None:
    lying, upright = places(64, 96), places(96, 64)
    seen = crops_of(upright, Views(144), 56, original=True)
    turned = crops_of(lying, Views(144), 56, original=True)
    assert seen[:18:6, 0, 0, 0, 0].tolist() == turned[:18:6, 0, 0, 0, 1].tolist() == [1, 17, 33]


def test_the_squares_of_a_square_image_are_one() -> None:
    assert len(crops_of(places(64, 64), Views(144), 56, original=True)) == 48
