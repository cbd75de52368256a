"""Second test sets, in the files in which they are published."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from ablations.errors import DataError
from ablations.running.testing.second_sets import second_images
from senet_core.errors import UserError

LABELS = np.array([3, 1, 4, 1])


@pytest.fixture
def corrupted(tmp_path: Path) -> Path:
    """Two corruptions of four images, each of five severities."""
    drawn = np.random.default_rng(0)
    for name in ("fog", "snow"):
        np.save(tmp_path / f"{name}.npy", drawn.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8))
    np.save(tmp_path / "labels.npy", np.tile(LABELS, 5).astype(np.uint8))
    return tmp_path


def test_each_corruption_is_a_test_set_of_copies(corrupted: Path) -> None:
    fog, snow = second_images("cifar10-c", corrupted, "cifar10")
    assert (fog.name, snow.name) == ("cifar10-c/fog", "cifar10-c/snow")
    assert fog.copies == 5
    assert fog.to_json()["copies"] == 5
    assert fog.digest != snow.digest
    assert fog.labels.tolist() == 5 * LABELS.tolist()
    assert torch.equal(torch.cat(list(fog.blocks())), torch.from_numpy(np.load(corrupted / "fog.npy")))
    [alone] = second_images("cifar10-c/snow", corrupted, "cifar10")
    assert alone.digest == snow.digest


def test_labels_that_do_not_repeat_are_of_different_images(corrupted: Path) -> None:
    np.save(corrupted / "labels.npy", np.arange(20) % 7)
    assert second_images("cifar10-c/fog", corrupted, "cifar10")[0].copies == 1


@pytest.mark.parametrize("of_text", [False, True])
def test_the_test_batch_alone_is_read_of_cifair(tmp_path: Path, of_text: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    keys = ("data", "labels") if of_text else (b"data", b"labels")
    batch = dict(zip(keys, (pixels, LABELS.tolist()), strict=True))
    (tmp_path / "ciFAIR-10").mkdir()
    (tmp_path / "ciFAIR-10" / "test_batch").write_bytes(pickle.dumps(batch, protocol=2))
    [found] = second_images("cifair10", tmp_path, "cifar10")
    assert found.labels.tolist() == LABELS.tolist()
    [block] = found.blocks()
    assert torch.equal(block.permute(0, 3, 1, 2).flatten(1), torch.from_numpy(pixels))
    assert "copies" not in found.to_json()


def test_what_does_not_fit_is_refused_in_one_line(corrupted: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown test set 'cifair'; did you mean 'cifair10'"):
        second_images("cifair", tmp_path, "cifar10")
    with pytest.raises(UserError, match="unknown corruption 'frog'; did you mean 'fog'"):
        second_images("cifar10-c/frog", corrupted, "cifar10")
    with pytest.raises(
        DataError, match="'cifar10-c' tests networks that were trained on 'cifar10', not 'cifar100'"
    ):
        second_images("cifar10-c", corrupted, "cifar100")
    with pytest.raises(DataError, match="has no python batch 'test_batch'"):
        second_images("cifair10", corrupted, "cifar10")
    np.save(corrupted / "fog.npy", np.zeros((20, 16, 16, 3), np.uint8))
    with pytest.raises(DataError, match=r"bytes of the shape \(20, 32, 32, 3\) are needed"):
        second_images("cifar10-c", corrupted, "cifar10")
    (corrupted / "labels.npy").unlink()
    with pytest.raises(DataError, match=r"has no labels\.npy"):
        second_images("cifar10-c", corrupted, "cifar10")
