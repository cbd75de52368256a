"""Trainings that begin with trained weights: from the file that was meant, and from all of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from small import small_study, small_trial

from ablations.errors import DataError, StudyError
from ablations.planning.networks.recipes import weights as named
from ablations.running.data import Prepared
from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from ablations.running.training.building import build_network
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.pretrained import keep_weights, open_weights
from ablations.running.training.refusals.untrainable import refuse_untrainable
from ablations.running.training.trainer import Observer
from ablations.running.training.trial_training import make_trainer
from senet_core import PAPER_SE, build_model
from senet_core import weights as core_weights
from senet_core.errors import UserError
from senet_core.training.freezing import stay_frozen

CPU = torch.device("cpu")
STATE = build_model("resnet8", num_classes=4, in_channels=1, seed=7).state_dict()


pytestmark = pytest.mark.usefixtures("on_one_thread")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Weights as a study names them, and their file."""
    path, content = tmp_path / "net.safetensors", save(STATE)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(named.FOUND, digest, path)
    return f"net.safetensors@sha256:{digest}", path


def test_a_file_is_kept_beside_the_data_and_read_from_there(file: tuple[str, Path], tmp_path: Path) -> None:
    weights, path = file
    keep_weights([weights, weights, "torchvision"], tmp_path / "data")
    path.unlink()
    keep_weights([weights], tmp_path / "data")  # it is there already
    read = open_weights(named.nameless(weights), tmp_path / "data")
    assert read is not None
    assert all(torch.equal(read[name], value) for name, value in STATE.items())
    assert open_weights(None, tmp_path) is None
    assert open_weights("torchvision", tmp_path) is None


def test_a_file_that_is_missing_or_was_changed_is_refused(file: tuple[str, Path], tmp_path: Path) -> None:
    weights, path = file
    with pytest.raises(DataError, match=r"are not in .* on this machine: put their file where"):
        open_weights(f"sha256:{0:064}", tmp_path / "data")
    keep_weights([weights], tmp_path / "data")
    [kept] = (tmp_path / "data" / "weights").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"were changed: .* has another digest"):
        open_weights(weights, tmp_path / "data")
    path.write_bytes(b"x")
    with pytest.raises(DataError, match="were changed"):
        keep_weights([weights], tmp_path / "other")
    with pytest.raises(DataError, match="are missing: put their file where the study says"):
        keep_weights([f"gone.pth@sha256:{0:064}"], tmp_path / "data")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02.", b"12345678{", save({})[:-1]])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / digest).write_bytes(content)
    with pytest.raises(UserError, match=r"cannot read weights|holds no state dict") as caught:
        open_weights(f"sha256:{digest}", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kernels", [NO_KERNELS, ALL_KERNELS], ids=str)
def test_a_training_begins_with_the_weights_and_keeps_the_frozen_ones(
    data: Prepared, kernels: Kernels
) -> None:
    kernels = kernels.available_on(CPU, "fp32")
    trial = small_trial(weights=f"sha256:{0:064}", freeze=[2, 3])
    trainer = make_trainer(trial, data, CPU, kernels=kernels, weights=STATE)
    first = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    drawn = build_model("resnet8", PAPER_SE, num_classes=10, in_channels=1, seed=0).state_dict()
    for name, value in first.items():
        fresh = name.startswith("fc.") or ".se." in name
        assert torch.equal(value, drawn[name] if fresh else STATE[name]), name
    trainer.run(Observer(), Supervisor())
    for name, value in trainer.model.state_dict().items():
        frozen = name.startswith(("conv1.", "bn1.", "layer1.", "layer2.")) and ".se." not in name
        assert torch.equal(value, first[name]) is frozen, name


def test_torchvisions_weights_are_those_of_the_backbones_name(monkeypatch: pytest.MonkeyPatch) -> None:
    published = build_model("resnet18", num_classes=1000, seed=5).state_dict()
    asked: list[str] = []
    monkeypatch.setattr(core_weights, "_from_hub", lambda backbone: asked.append(backbone) or dict(published))
    trial = replace(small_trial(weights="torchvision", freeze=[2, 3, 4, 5]), backbone="resnet18")
    model, frozen = build_network(trial, num_classes=10, in_channels=3)
    assert asked == ["resnet18"]
    for name, value in model.state_dict().items():
        fresh = name.startswith("fc.") or ".se." in name
        assert fresh or torch.equal(value, published[name]), name
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        name for name, _ in model.named_parameters() if name.startswith("fc.") or ".se." in name
    }
    stay_frozen(frozen)
    assert not any(layer.training for layer in frozen)


def test_weights_that_were_not_read_are_missed(data: Prepared) -> None:
    with pytest.raises(UserError, match="were not read"):
        make_trainer(small_trial(weights=f"sha256:{0:064}"), data, CPU)


def test_what_does_not_fit_is_refused_before_anything_is_trained(file: tuple[str, Path]) -> None:
    recipe = {"epochs": 1, "batch_size": 32, "weights": file[0]}
    refuse_untrainable(small_study(recipe=recipe))
    for fields, words in (
        (
            {"recipe": {**recipe, "freeze": [2, 5]}},
            "freeze does not go with backbone 'resnet8': unknown stage 5; known: 2, 3, 4",
        ),
        (
            {"baseline": {"backbone": "resnet14", "data": "digits"}, "recipe": recipe},
            "weights 'net.safetensors': the state dict does not fit resnet14: .* missing: layer1.1.conv1.weight",
        ),
        (
            {"baseline": {"backbone": "resnet8", "data": "cifar10"}, "recipe": recipe},
            r"1 of another shape: conv1.weight \(16, 1, 3, 3\) instead of \(16, 3, 3, 3\)",
        ),
        (
            {"recipe": {**recipe, "weights": "torchvision"}},
            "weights 'torchvision': torchvision has no ImageNet weights for 'resnet8'",
        ),
        (
            {
                "baseline": {"backbone": "resnet18", "data": "digits"},
                "recipe": {**recipe, "weights": "torchvision"},
            },
            "weights 'torchvision' are for images with 3 channels, and these have 1",
        ),
    ):
        with pytest.raises(StudyError, match=words) as caught:
            refuse_untrainable(small_study(**fields))
        assert "\n" not in str(caught.value)


def test_weights_of_another_network_fail_the_trial_with_their_name(data: Prepared) -> None:
    trial = replace(small_trial(weights=f"a.pth@sha256:{0:064}"), backbone="resnet14")
    with pytest.raises(UserError, match=r"weights 'a\.pth': the state dict does not fit resnet14"):
        make_trainer(trial, data, CPU, weights=STATE)
