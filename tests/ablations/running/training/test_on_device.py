"""Images, augmentation and test on the device: the operations are run on the CPU here, beside those of one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small import sixteen_pixels, small_trial
from torch import Generator, Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared
from ablations.running.machine.cuda import transfer
from ablations.running.training import batches as batches_module
from ablations.running.training import evaluation
from ablations.running.training.augmentation.augmentation import Augmentation
from ablations.running.training.augmentation.crops import random_boxes
from ablations.running.training.augmentation.network_input import normalise, rounded, shrink
from ablations.running.training.batches import Batches, on_device
from ablations.running.training.evaluation import evaluate
from senet_core.model import build_model
from senet_core.randomness import stream_seed

CPU, CUDA, META = torch.device("cpu"), torch.device("cuda"), torch.device("meta")
MEAN, STD = (120.3, 111.7, 98.2), (61.5, 59.9, 64.3)


@pytest.fixture
def data() -> Prepared:
    return replace(sixteen_pixels(), mean=MEAN, std=STD)


def one_by_one(data: Prepared, trial: NetworkTrial, batches: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield normalised images and labels, each image changed by itself with the numbers of the trial's streams."""
    recipe, side = trial.recipe, 16
    order, drawn = (
        torch.Generator().manual_seed(stream_seed(trial.seed, stream)) for stream in ("order", "augmentation")
    )
    shuffled = torch.randperm(len(data.train_labels), generator=order)
    for number in range(batches):
        chosen = shuffled[number * recipe.batch_size : (number + 1) * recipe.batch_size]
        images = [data.train_images[place] for place in chosen.tolist()]
        if recipe.crop == "pad":
            images = padded(images, recipe.pad, side, drawn)
        elif recipe.crop == "resized":
            images = resized(images, side, drawn)
        if recipe.flip:
            flips = torch.randint(2, (len(images),), generator=drawn).tolist()
            images = [image.flip(1) if flip else image for image, flip in zip(images, flips, strict=True)]
        if recipe.cutout:
            images = cut(images, recipe.cutout, data.mean, drawn)
        scale = 1 / torch.tensor(data.std)
        shift = -torch.tensor(data.mean) * scale
        yield (
            torch.stack([(i.float() * scale + shift).permute(2, 0, 1) for i in images]),
            data.train_labels[chosen],
        )


def padded(images: list[Tensor], pad: int, side: int, drawn: Generator) -> list[Tensor]:
    places = 16 + 2 * pad - side + 1
    tops, lefts = (torch.randint(places, (len(images),), generator=drawn).tolist() for _ in range(2))
    wide = [functional.pad(image, (0, 0, pad, pad, pad, pad)) for image in images]
    return [i[t : t + side, n : n + side] for i, t, n in zip(wide, tops, lefts, strict=True)]


def resized(images: list[Tensor], side: int, drawn: Generator) -> list[Tensor]:
    found = []
    for image, *box in zip(images, *random_boxes(len(images), 16, 16, drawn), strict=True):
        axes = []
        for start, length in (box[0::2], box[1::2]):
            pixel = start + (torch.arange(side) + 0.5) * (length / side) - 0.5
            pixel = torch.minimum(torch.maximum(pixel, start), start + length - 1)
            axes.append((2 * pixel + 1) / 16 - 1)
        grid = torch.stack((axes[1][None, :].expand(side, -1), axes[0][:, None].expand(-1, side)), dim=-1)
        pixels = image.permute(2, 0, 1)[None].float()
        scaled = functional.grid_sample(
            pixels, grid[None], mode="bilinear", padding_mode="border", align_corners=False
        )
        found.append(scaled[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0))
    return found


def cut(images: list[Tensor], side: int, fill: tuple[float, ...], drawn: Generator) -> list[Tensor]:
    rows, columns = (
        torch.randint(16, (len(images), 1), generator=drawn).flatten().tolist() for _ in range(2)
    )
    found = []
    for image, row, column in zip(images, rows, columns, strict=True):
        top, left, changed = row - side // 2, column - side // 2, image.clone()
        changed[max(top, 0) : top + side, max(left, 0) : left + side] = torch.tensor(
            [round(value) for value in fill], dtype=torch.uint8
        )
        found.append(changed)
    return found


RECIPES: list[dict[str, Any]] = [
    {"crop": "none", "flip": False},
    {"crop": "none", "flip": True},
    {"crop": "pad", "pad": 3, "flip": False},
    {"crop": "pad", "pad": 2, "flip": True, "cutout": 5},
    {"crop": "resized", "flip": True, "cutout": 4},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_batch_is_what_each_image_is_by_itself_to_the_last_bit(
    data: Prepared, recipe: dict[str, Any]
) -> None:
    trial = small_trial(seed=5, **recipe)
    batches = Batches(on_device(data, trial, CPU), trial, CPU)
    for images, labels in one_by_one(data, trial, batches.per_epoch):
        found, found_labels = batches.next(16)
        assert torch.equal(found, images)
        assert torch.equal(found_labels, labels)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_no_operation_on_images_elsewhere_takes_a_tensor_of_the_cpu(recipe: dict[str, Any]) -> None:
    """On the meta device nothing is computed, but all tensors of an operation must be on it."""
    images = torch.empty(6, 16, 16, 3, dtype=torch.uint8, device=META)
    of_recipe = {"pad": 0, "cutout": 0, **recipe}
    drawn, own = (torch.Generator().manual_seed(0) for _ in range(2))
    changed = Augmentation(size=16, fill=MEAN, **of_recipe)(images, drawn, own)
    found = normalise(shrink(changed, 12), MEAN, STD)
    assert (found.device.type, found.shape, found.dtype) == ("meta", (6, 3, 12, 12), torch.float32)


def test_images_that_are_scaled_elsewhere_differ_by_a_grey_level_at_most() -> None:
    images = sixteen_pixels().train_images
    pixels = images.permute(0, 3, 1, 2).float()
    elsewhere = rounded(functional.interpolate(pixels, size=(12, 12), mode="bilinear", antialias=True))
    here = shrink(images, 12).permute(0, 3, 1, 2)
    assert (elsewhere.int() - here.int()).abs().max() <= 1


def test_data_stay_where_they_are_on_a_processor(data: Prepared) -> None:
    assert on_device(data, small_trial(), CPU) is data


@pytest.mark.parametrize(
    ("recipe", "moved"), [({}, True), ({"randaugment": 1}, False), ({"erasing": 0.5}, False)]
)
def test_on_cuda_all_is_copied_once_but_images_that_the_cpu_changes_one_by_one(
    data: Prepared, recipe: dict[str, Any], moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "resident", lambda tensor, device: tensor.to(META))
    found = on_device(data, small_trial(**recipe), CUDA)
    there = [found.train_labels, found.test_images, found.test_labels]
    assert all(tensor.is_meta for tensor in there)
    assert found.train_images.is_meta is moved


def test_what_does_not_fit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(101, dtype=torch.uint8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (200, 1000))
    assert transfer.resident(images, META) is images
    assert transfer.resident(images[:100], META).is_meta


def test_a_copy_to_cuda_is_made_from_pinned_memory_and_not_waited_for() -> None:
    asked: list[Any] = []
    pinned = SimpleNamespace(to=lambda device, **how: asked.append((device, how)))
    host: Any = SimpleNamespace(device=CPU, pin_memory=lambda: pinned)
    transfer.to_device(host, CUDA)
    assert asked == [(CUDA, {"non_blocking": True})]
    tensor = torch.zeros(3)
    assert transfer.to_device(tensor, CPU) is tensor


class Waiting(TorchDispatchMode):
    """Counts what needs a number of the device at once."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.times += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_test_waits_for_the_device_as_often_for_many_batches_as_for_one(
    data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_model("resnet8", None, num_classes=10, in_channels=3, seed=0)
    found = []
    for size in (10, 80):
        monkeypatch.setattr(evaluation, "TEST_BATCH", size)
        with Waiting() as waiting:
            evaluate(model, data, CPU, "fp32")
        found.append(waiting.times)
    assert found[0] == found[1]


def test_images_that_are_read_ahead_are_the_same_ones_and_so_is_what_a_checkpoint_says(
    data: Prepared,
) -> None:
    """Over two epochs, and after a state in the midst of one was restored."""
    trial = small_trial(seed=5, crop="resized", cutout=4)
    usual, ahead = Batches(data, trial, CPU), Batches(data, trial, CPU)
    ahead._reader = transfer.ReadAhead(data.train_images)
    for number in range(4):
        (images, labels), (found, found_labels) = usual.next(16), ahead.next(16)
        assert torch.equal(found, images)
        assert torch.equal(found_labels, labels)
        if number == 2:
            state = ahead.state()
    assert state["place"] == 1
    later, _ = ahead.next(16)
    ahead.restore(state)
    assert torch.equal(ahead.next(16)[0], found)
    assert torch.equal(ahead.next(16)[0], later)


def test_what_is_next_is_read_before_it_is_asked_for() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(6, 2, 2, 1)
    reader, first, second = transfer.ReadAhead(images), torch.tensor([3, 1]), torch.tensor([0, 5])
    assert torch.equal(reader.take(first, second), images[first])
    assert reader._ahead is not None
    read = reader._ahead[1].result()
    assert reader.take(second).data_ptr() == read.data_ptr()
    assert torch.equal(read, images[second])
    assert torch.equal(reader.take(first), images[first])  # not what was said to be next
