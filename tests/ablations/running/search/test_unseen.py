"""The test set is out of reach of whatever chooses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from choosing import search_study, tuned_study
from safetensors import safe_open
from safetensors.torch import save_file
from small import RECIPE, one_thread

from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import ensure_prepared, open_prepared, prepared, prepared_path
from ablations.running.training.trial_training import train
from senet_core.errors import UserError
from senet_core.variants.variant import PAPER_SE

CHOOSING = DataSpec(name="digits", train_images=80, validation_images=40)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    ensure_prepared(DataSpec(name="digits"), folder)
    return folder


def trained(data_dir: Path) -> tuple[Any, ...]:
    trial = NetworkTrial("resnet8", PAPER_SE, CHOOSING, RECIPE, 0)
    with one_thread():
        result, history, known = train(trial, open_prepared(CHOOSING, data_dir), torch.device("cpu"))
    assert known is None  # it has no outcomes on test images
    return result.weights_sha256, result.top1_error, result.test_loss, [e.validation_error for e in history]


def with_other_test_images(data_dir: Path, folder: Path) -> Path:
    """A copy of the prepared data whose test part is nonsense."""
    source, path = prepared_path(CHOOSING, data_dir), prepared_path(CHOOSING, folder)
    with safe_open(str(source), framework="pt") as handle:
        metadata = handle.metadata()
        tensors = {name: handle.get_tensor(name) for name in prepared.TENSORS}
    tensors["test_images"] = torch.full_like(tensors["test_images"], 255)
    tensors["test_labels"] = torch.zeros_like(tensors["test_labels"])
    classes, arrays = json.loads(metadata["classes"]), [tensors[name].numpy() for name in prepared.TENSORS]
    metadata["digest"] = prepared.digest_of(classes, arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(path), metadata)
    return folder


def test_a_trial_that_chooses_ends_alike_whatever_the_test_images_are(data_dir: Path, tmp_path: Path) -> None:
    assert trained(data_dir) == trained(with_other_test_images(data_dir, tmp_path))


def test_a_trial_that_chooses_does_not_read_the_test_part(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    opened = prepared.safe_open

    class Watched:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._opened = opened(*args, **kwargs)

        def __enter__(self) -> Watched:
            self._handle = self._opened.__enter__()
            return self

        def __exit__(self, *error: Any) -> None:
            self._opened.__exit__(*error)

        def get_tensor(self, name: str) -> Any:
            read.append(name)
            return self._handle.get_tensor(name)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._handle, name)

    monkeypatch.setattr(prepared, "safe_open", Watched)
    open_prepared(CHOOSING, data_dir)
    assert sorted(read) == ["train_images", "train_labels"]
    open_prepared(DataSpec(name="digits"), data_dir)
    assert "test_images" in read  # so the watch is no empty one


@pytest.mark.parametrize("study", [tuned_study(), search_study()], ids=lambda d: d.study.design)
def test_whatever_is_proposed_is_judged_on_validation_images(study: Design) -> None:
    for arm in arms_of(study):
        assert arm.space.start is not None
        data = arm.space.proposed_row(arm.space.start).data
        assert (data.validation_images, data.test_images) == (40, None)


def test_held_back_images_are_not_trained_on(data_dir: Path) -> None:
    held = open_prepared(DataSpec(name="digits", validation_images=300), data_dir)
    whole = open_prepared(DataSpec(name="digits"), data_dir)

    assert (len(held.train_labels), len(held.test_labels)) == (len(whole.train_labels) - 300, 300)
    both = torch.cat([held.train_images, held.test_images]).flatten(1).sort(dim=0).values
    assert torch.equal(both, whole.train_images.flatten(1).sort(dim=0).values)
    assert held.test_labels.bincount().tolist() == [30] * 10


def test_a_smaller_training_set_has_the_same_validation_images(data_dir: Path) -> None:
    one = open_prepared(DataSpec(name="digits", train_images=100, validation_images=50), data_dir)
    other = open_prepared(DataSpec(name="digits", train_images=500, validation_images=50), data_dir)
    assert torch.equal(one.test_images, other.test_images)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"validation_images": 5}, "validation_images must be between 10 and 1297"),
        ({"validation_images": 1200, "train_images": 200}, "1,400 together"),
        ({"validation_images": 100, "test_images": 10}, "give test_images or validation_images"),
    ],
)
def test_splits_that_cannot_be_are_refused(fields: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DataSpec.model_validate({"name": "digits", **fields})


def test_too_many_for_the_data_at_hand_is_said(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    shutil.copy(prepared_path(CHOOSING, data_dir), path)
    with pytest.raises(UserError, match="validation_images must be between 10 and 1287"):
        prepared.load_for_choosing(path, 1290)


def test_keys_of_trials_without_validation_images_are_what_they_were() -> None:
    data = DataSpec(name="digits").model_dump(mode="json")
    assert "validation_images" not in data
    assert json.dumps(CHOOSING.model_dump(mode="json")).count("validation_images") == 1
