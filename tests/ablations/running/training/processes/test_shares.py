"""Processes that share a batch have, together, the batch that one process has."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import sixteen_pixels, small_trial

from ablations.errors import StudyError
from ablations.running.training.batches import Batches
from ablations.running.training.processes.group import ALONE, Group

CPU = torch.device("cpu")

RECIPES: list[dict[str, Any]] = [
    {"crop": "pad", "pad": 3, "flip": True},
    {"crop": "resized", "flip": True, "cutout": 4},
    {"randaugment": 2, "erasing": 0.5},
    {"mixup": 0.4},
    {"mixup": 0.4, "cutmix": 1.0, "cutout": 4},
]


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_shares_are_the_batch_to_the_last_bit(recipe: dict[str, Any], size: int) -> None:
    """Two epochs, so that the streams of all processes stay where those of one process are."""
    data, trial = sixteen_pixels(), small_trial(seed=5, **recipe)
    whole = Batches(data, trial, CPU)
    shared = [Batches(data, trial, CPU, Group(rank, size)) for rank in range(size)]
    for _ in range(2 * whole.per_epoch):
        images, labels = whole.next(16)
        parts = [batches.next(16) for batches in shared]
        assert all(abs(len(part) - len(images) / size) < 1 for part, _ in parts)
        assert torch.equal(torch.cat([part for part, _ in parts]), images)
        assert torch.equal(torch.cat([part for _, part in parts]), labels)
    for batches in shared:
        own, other = batches.state(), whole.state()
        assert all(torch.equal(torch.as_tensor(own[name]), torch.as_tensor(other[name])) for name in other)


def test_parts_add_up_and_shares_are_in_order() -> None:
    groups = [Group(rank, 3) for rank in range(3)]
    assert [(own.start, own.stop) for own in (group.own(32) for group in groups)] == [
        (0, 10),
        (10, 21),
        (21, 32),
    ]
    assert sum(group.part(32) for group in groups) == pytest.approx(1)
    assert [group.own(2) for group in groups] == [slice(0, 0), slice(0, 1), slice(1, 2)]


def test_the_image_before_the_first_is_the_last() -> None:
    rows = [Group(rank, 2).share(5, with_previous=True).rows for rank in range(2)]
    assert [found.tolist() for found in rows if found is not None] == [[4, 0, 1], [1, 2, 3, 4]]


def test_a_process_by_itself_waits_for_nobody() -> None:
    model, value = torch.nn.Linear(2, 2), torch.ones(2)
    ALONE.add_up(value)
    assert ALONE.together(model) is model
    assert value.tolist() == [1, 1]
    assert (ALONE.agree(3), ALONE.gathered("a"), ALONE.from_first(lambda: 5)) == (3, ["a"], 5)


def test_more_processes_than_images_are_refused() -> None:
    with pytest.raises(StudyError, match="batch_size is 32, and each of the 33 processes of a trial"):
        Batches(sixteen_pixels(), small_trial(), CPU, Group(0, 33))
