"""With `resample: train` each seed draws its own training images; all rows of one seed share them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import Prepared, open_prepared
from ablations.running.record.trial_file import TrialFile

DRAWN = DataSpec(name="digits", train_images=200, test_images=50, resample="train")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def rows(data: Prepared) -> set[bytes]:
    return {image.numpy().tobytes() for image in data.train_images}


def test_each_seed_draws_other_images_and_always_the_same(folder: Path) -> None:
    one, again, other = (open_prepared(DRAWN, folder, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.train_images, again.train_images)
    assert torch.equal(one.train_labels, again.train_labels)
    shared = len(rows(one) & rows(other))
    assert 0 < shared < 80  # of 200 that are drawn from 1,297
    assert torch.equal(one.test_images, other.test_images)
    assert one.digest == other.digest


def test_images_are_drawn_evenly_without_replacement_and_nested(folder: Path) -> None:
    many = open_prepared(DRAWN, folder, seed=5)
    assert torch.bincount(many.train_labels).tolist() == [20] * 10
    whole = open_prepared(DataSpec(name="digits"), folder)
    place = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(whole.train_images, whole.train_labels, strict=True)
    }
    assert rows(many) <= place.keys()
    assert all(
        place[i.numpy().tobytes()] == int(n)
        for i, n in zip(many.train_images, many.train_labels, strict=True)
    )
    few = open_prepared(DRAWN.model_copy(update={"train_images": 60}), folder, seed=5)
    assert torch.equal(few.train_images, many.train_images[:60])


def test_every_image_is_drawn_by_some_seed(folder: Path) -> None:
    whole = rows(open_prepared(DataSpec(name="digits"), folder))
    large = DRAWN.model_copy(update={"train_images": 900})
    assert set().union(*(rows(open_prepared(large, folder, seed=seed)) for seed in range(12))) == whole


def test_held_back_images_are_never_drawn(folder: Path) -> None:
    choosing = DRAWN.for_choosing(300)
    whole = open_prepared(DataSpec(name="digits", validation_images=300), folder)
    assert all(rows(open_prepared(choosing, folder, seed=seed)) <= rows(whole) for seed in range(3))
    assert torch.equal(open_prepared(choosing, folder, seed=1).test_images, whole.test_images)


@pytest.mark.parametrize("count", [5, 1297, 2000])
def test_there_must_be_more_than_are_drawn(folder: Path, count: int) -> None:
    whole = open_prepared(DataSpec(name="digits"), folder)
    with pytest.raises(
        DataError, match=r"with resample: train, train_images must be between 10 and 1296 .*1,297"
    ):
        whole.resampled(count, 0)


def test_trials_train_on_what_their_seed_draws(ablate: Callable[..., Any]) -> None:
    drawn = ("--set", "baseline.data.resample=train")
    for words in ((), drawn):
        assert ablate("run", "small.yaml", "--no-tracking", *words).status == 0
    lines = TrialFile.load(Path("results/small/trials.jsonl")).lines
    assert len(lines) == 12
    weights = {line.result.weights_sha256 for line in lines if line.result is not None}
    assert len(weights) == 12
    text = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "training subset: yes; test set: one for all" in text
    assert "80 training images that each seed draws anew" in text
    assert ablate("report", "small.yaml", "--as-written", "--replace").status == 0
    text = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "training subset: no, the same for all seeds" in text
    said = ablate("plan", "small.yaml", *drawn, "--set", "baseline.data.train_images=1297")
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "give train_images, fewer than there are (of 1,297)" in said.err
