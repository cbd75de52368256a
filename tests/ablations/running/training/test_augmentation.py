"""Augmentation against slow references, one image at a time, and values worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from ablations.running.training.augmentation.augmentation import CROPS, Augmentation
from ablations.running.training.augmentation.crops import (
    centre_crop,
    pad_crop,
    random_boxes,
    random_flip,
    resized_crop,
)
from ablations.running.training.augmentation.cutout import cutout
from ablations.running.training.augmentation.network_input import normalise, shrink
from senet_core.errors import UserError


def generator(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def batch(*shape: int) -> Tensor:
    return torch.randint(1, 256, shape, dtype=torch.uint8, generator=generator(9))


@pytest.mark.parametrize(
    ("height", "width", "channels", "pad", "size"), [(32, 32, 3, 4, 32), (9, 7, 1, 2, 5), (8, 8, 3, 0, 6)]
)
def test_pad_crop_cuts_each_image_where_its_draw_says(
    height: int, width: int, channels: int, pad: int, size: int
) -> None:
    images = batch(6, height, width, channels)
    cropped = pad_crop(images, pad, size, generator(3))
    draws = generator(3)
    tops = torch.randint(height + 2 * pad - size + 1, (6,), generator=draws).tolist()
    lefts = torch.randint(width + 2 * pad - size + 1, (6,), generator=draws).tolist()
    for image, result, top, left in zip(images, cropped, tops, lefts, strict=True):
        padded = functional.pad(image, (0, 0, pad, pad, pad, pad))
        assert torch.equal(result, padded[top : top + size, left : left + size])


def test_pad_crop_reaches_every_place_and_no_other() -> None:
    image = torch.full((1, 2, 2, 1), 7, dtype=torch.uint8)
    seen = {tuple(pad_crop(image, 1, 2, generator(seed)).flatten().tolist()) for seed in range(200)}
    assert len(seen) == 9  # offsets 0..2 down and across
    assert (7, 7, 7, 7) in seen
    assert (0, 0, 0, 7) in seen


def test_pad_crop_of_the_last_image_in_its_last_place() -> None:
    images = batch(1, 2, 2, 3)
    results = [pad_crop(images, 1, 2, generator(seed)) for seed in range(200)]
    last = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    last[0, 0, 0] = images[0, 1, 1]
    assert any(torch.equal(result, last) for result in results)


def test_flip_mirrors_about_half_of_the_images_and_leaves_the_others() -> None:
    images = batch(400, 3, 5, 3)
    flipped = random_flip(images, generator())
    mirrored = [torch.equal(result, image.flip(1)) for result, image in zip(flipped, images, strict=True)]
    kept = [torch.equal(result, image) for result, image in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 150 < sum(mirrored) < 250


def test_flip_worked_by_hand() -> None:
    row = torch.tensor([[[[1, 2], [3, 4], [5, 6]]]], dtype=torch.uint8)
    results = [random_flip(row, generator(seed)).tolist() for seed in range(20)]
    assert [[[[5, 6], [3, 4], [1, 2]]]] in results
    assert row.tolist() in results


@pytest.mark.parametrize("side", [1, 2, 5, 8, 16])
def test_cutout_blanks_the_clipped_square_around_its_draw(side: int) -> None:
    images = batch(20, 8, 6, 3)
    result = cutout(images, side, (10.4, 20.6, 30.0), generator(5))
    draws = generator(5)
    rows, columns = (torch.randint(n, (20, 1), generator=draws).flatten().tolist() for n in (8, 6))
    expected = images.clone()
    for image, row, column in zip(expected, rows, columns, strict=True):
        top, left = row - side // 2, column - side // 2
        image[max(top, 0) : top + side, max(left, 0) : left + side] = torch.tensor([10, 21, 30])
    assert torch.equal(result, expected)


def test_cutout_fills_with_what_normalisation_turns_into_zero() -> None:
    mean, std = (125.3, 122.9, 113.9), (62.5, 61.9, 66.5)
    blanked = cutout(batch(2, 4, 4, 3), 16, mean, generator())
    assert normalise(blanked, mean, std).abs().max() < 0.5 / min(std)


def test_cutout_wants_one_fill_for_each_channel() -> None:
    with pytest.raises(UserError, match="fill has 3 numbers; the images have 1 channels"):
        cutout(batch(2, 4, 4, 1), 2, (0, 0, 0), generator())


def test_resized_crop_is_a_bilinear_scaling_of_the_box_alone() -> None:
    images = batch(12, 20, 24, 3)
    result = resized_crop(images, 9, generator(2))
    boxes = zip(*random_boxes(12, 20, 24, generator(2)), strict=True)
    for image, scaled, box in zip(images, result, boxes, strict=True):
        top, left, tall, wide = (int(value) for value in box)
        cut = image[top : top + tall, left : left + wide].permute(2, 0, 1)[None].float()
        expected = functional.interpolate(cut, (9, 9), mode="bilinear", align_corners=False)[0].permute(
            1, 2, 0
        )
        assert (scaled.float() - expected).abs().max() <= 0.51  # rounded to whole grey levels


def test_boxes_lie_inside_the_image_with_the_promised_areas_and_ratios() -> None:
    top, left, tall, wide = random_boxes(4000, 64, 64, generator())
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + tall <= 64).all()
    assert (left + wide <= 64).all()
    share = tall * wide / 64**2
    assert share.min() > 0.07
    assert share.max() > 0.95
    assert 0.70 < (wide / tall).min() < 0.80
    assert 1.25 < (wide / tall).max() < 1.43


@pytest.mark.parametrize(("height", "width", "tall", "wide"), [(4, 400, 4, 5), (400, 4, 5, 4)])
def test_a_shape_that_no_box_fits_gets_the_largest_central_one(
    height: int, width: int, tall: int, wide: int
) -> None:
    boxes = random_boxes(500, height, width, generator())
    central = (height - tall) // 2, (width - wide) // 2
    found = {tuple(int(value) for value in box) for box in zip(*boxes, strict=True)}
    assert (*central, tall, wide) in found


def test_centre_crop_worked_by_hand() -> None:
    images = torch.arange(20, dtype=torch.uint8).view(1, 4, 5, 1)
    assert centre_crop(images, 2).flatten().tolist() == [6, 7, 11, 12]


@pytest.mark.parametrize("channels", [1, 3])
def test_normalise_agrees_with_the_formula(channels: int) -> None:
    images = batch(3, 5, 4, channels)
    mean, std = (120.0, 100.0, 90.0)[:channels], (60.0, 50.0, 70.0)[:channels]
    result = normalise(images, mean, std)
    expected = (images.double() - torch.tensor(mean)) / torch.tensor(std)
    assert result.dtype == torch.float32
    assert result.shape == (3, channels, 5, 4)
    torch.testing.assert_close(result.double(), expected.permute(0, 3, 1, 2).double(), atol=1e-5, rtol=1e-5)
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("crop", CROPS)
def test_one_seed_gives_one_result_and_leaves_the_batch_and_the_global_generator_alone(crop: str) -> None:
    images = batch(5, 12, 12, 3)
    before, state = images.clone(), torch.get_rng_state()
    augment = Augmentation(
        size=10, crop=crop, pad=2, flip=True, cutout=4, randaugment=2, erasing=0.5, fill=(1, 2, 3)
    )
    first, second = (augment(images, generator(1), generator(6)) for _ in range(2))
    assert first.shape == (5, 10, 10, 3)
    assert first.dtype == torch.uint8
    assert torch.equal(first, second)
    assert not torch.equal(first, augment(images, generator(2), generator(6)))
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("crop", CROPS)
def test_the_number_of_draws_does_not_depend_on_the_images(crop: str) -> None:
    augment = Augmentation(size=10, crop=crop, cutout=4)
    states = []
    for images in (batch(7, 12, 12, 3), torch.zeros(7, 40, 11, 1, dtype=torch.uint8)):
        draws = generator(4)
        augment(images, draws, generator())
        states.append(draws.get_state())
    assert torch.equal(states[0], states[1])


def test_every_field_changes_what_comes_out() -> None:
    images = batch(8, 12, 12, 3)
    plain = Augmentation(size=12, crop="none", flip=False)
    assert torch.equal(plain(images, generator(), generator()), images)
    others = [
        Augmentation(size=10, crop="none", flip=False),
        Augmentation(size=12, crop="pad", pad=4, flip=False),
        Augmentation(size=12, crop="pad", pad=2, flip=False),
        Augmentation(size=12, crop="resized", flip=False),
        Augmentation(size=12, crop="none", flip=True),
        Augmentation(size=12, crop="none", flip=False, cutout=4),
        Augmentation(size=12, crop="none", flip=False, cutout=6),
        Augmentation(size=12, crop="none", flip=False, cutout=6, fill=(9, 9, 9)),
        Augmentation(size=12, crop="none", flip=False, randaugment=1),
        Augmentation(size=12, crop="none", flip=False, randaugment=2),
        Augmentation(size=12, crop="none", flip=False, randaugment=2, magnitude=20),
        Augmentation(size=12, crop="none", flip=False, erasing=0.4),
        Augmentation(size=12, crop="none", flip=False, erasing=1),
    ]
    results = [
        tuple(other(images, generator(), generator()).flatten().tolist()) for other in (plain, *others)
    ]
    assert len(set(results)) == len(results)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 8, "crop": "pas"}, "unknown crop 'pas'; did you mean 'pad'"),
        ({"size": 0}, "size must be at least 1 pixels, got 0"),
        ({"size": 8, "pad": -1}, "pad must be at least 0 pixels, got -1"),
        ({"size": 8, "cutout": -2}, "cutout must be at least 0 pixels, got -2"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Augmentation(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("crop", ["pad", "none"])
def test_an_image_smaller_than_the_crop_is_refused(crop: str) -> None:
    with pytest.raises(UserError, match="too small for a crop of 20x20"):
        Augmentation(size=20, crop=crop, pad=1)(batch(1, 8, 8, 3), generator(), generator())


def test_logarithm_of_the_ratio_is_uniform() -> None:
    _, _, tall, wide = random_boxes(4000, 1000, 1000, generator())
    small = tall * wide < 0.5 * 1000**2  # large boxes do not fit at every ratio
    logs = (wide / tall)[small].log()
    assert abs(float(logs.mean())) < 0.01
    assert abs(float(logs.std()) - 2 * math.log(4 / 3) / math.sqrt(12)) < 0.01


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("full", "size"), [(32, 20), (32, 28), (28, 8)])
def test_shrink_averages_what_it_leaves_out(full: int, size: int, channels: int) -> None:
    """Stripes of one pixel become grey: no scaled pixel is taken from a single one."""
    stripes = torch.zeros(2, full, full, channels, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    found = shrink(stripes, size)
    assert found.shape == (2, size, size, channels)
    assert found.dtype == torch.uint8
    assert found.is_contiguous()
    assert found.float().mean().item() == pytest.approx(100, abs=6)
    assert found.float().std().item() < stripes.float().std().item() / 2
    images = batch(2, full, full, channels)
    reference = functional.interpolate(
        images.permute(0, 3, 1, 2).double(), size=(size, size), mode="bilinear", antialias=True
    )
    assert (shrink(images, size).permute(0, 3, 1, 2) - reference).abs().max() < 1.5  # rounded once an axis


def test_shrink_leaves_images_of_the_size_alone() -> None:
    images = batch(2, 8, 8, 3)
    assert shrink(images, 8) is images
