"""A checkpoint is whole or it is not used, and a training that continues from one ends like one without a stop."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from small import DATA, sixteen_pixels, small_trial

from ablations.running.data import Prepared
from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from ablations.running.record.trial_record import EpochMetrics, TrialResult
from ablations.running.training.checkpoint import (
    MAGIC,
    Checkpoints,
    Stopped,
    Supervisor,
    TimedOut,
    read_checkpoint,
)
from ablations.running.training.trial_training import Observer, train
from senet_core.model import build_model
from senet_core.variants.variant import PAPER_SE, SEVariant

_missing = ", ".join(ALL_KERNELS.missing(torch.device("cpu")).values())
needs_kernels = pytest.mark.skipif(bool(_missing), reason=_missing)
CPU = torch.device("cpu")
CONTEXT = {"commit": "abc", "threads": 1}


pytestmark = pytest.mark.usefixtures("on_one_thread")


class StopAt(Supervisor):
    """Stops a training after a step."""

    def __init__(self, checkpoints: Checkpoints, step: int) -> None:
        super().__init__(checkpoints)
        self.at = step

    def after_step(self, step: int, state: Any, *, epoch_ended: bool, last: bool) -> None:
        if step == self.at:
            assert self.checkpoints is not None
            self.checkpoints.save(step, state())
            raise Stopped
        super().after_step(step, state, epoch_ended=epoch_ended, last=last)


Trained = tuple[TrialResult, tuple[EpochMetrics, ...], Any]


def _same(one: Trained, other: Trained) -> bool:
    def content(ended: Trained) -> Any:
        result, history, known = ended
        epochs = [(epoch.epoch, epoch.train_loss, epoch.train_error, epoch.lr) for epoch in history]
        return result.weights_sha256, result.top1_error, result.test_loss, known.tolist(), epochs

    return bool(content(one) == content(other))


@pytest.mark.parametrize("variant", [None, PAPER_SE, SEVariant(squeeze="none", integration="pre")], ids=str)
@pytest.mark.parametrize("kernels", [NO_KERNELS, pytest.param(ALL_KERNELS, marks=needs_kernels)], ids=str)
@pytest.mark.parametrize("step", range(1, 6))
def test_a_stop_after_any_step_changes_nothing(
    step: int, kernels: Kernels, variant: SEVariant | None, data: Prepared, tmp_path: Path
) -> None:
    """Three epochs of two batches, stopped within an epoch and between two."""
    trial = small_trial(variant, epochs=3, cutout=2)
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    with pytest.raises(Stopped):
        train(trial, data, CPU, supervisor=StopAt(checkpoints, step), kernels=kernels)
    told: list[EpochMetrics] = []
    steps: list[int] = []
    supervisor = Supervisor(Checkpoints(tmp_path / "c", CONTEXT))
    continued = train(
        trial,
        data,
        CPU,
        Observer(told.append, lambda done, _: steps.append(done)),
        supervisor,
        kernels=kernels,
    )
    assert steps == list(range(step + 1, 7))  # the others were not taken again
    assert _same(continued, train(trial, data, CPU, kernels=kernels))
    assert [epoch.epoch for epoch in told] == [1, 2, 3]  # who starts to listen now hears of every epoch once


@pytest.mark.parametrize("step", range(1, 6))
def test_a_stop_while_images_grow_changes_nothing(step: int, tmp_path: Path) -> None:
    """Sizes 8, 12, 12, 16, 16, 16: they follow the step, and what is drawn does not follow them."""
    data = sixteen_pixels()
    trial = small_trial(epochs=3, start_size=8, full_size_from=0.5)
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    with pytest.raises(Stopped):
        train(trial, data, CPU, supervisor=StopAt(checkpoints, step))
    steps: list[int] = []
    observer = Observer(progress=lambda done, _: steps.append(done))
    continued = train(trial, data, CPU, observer, Supervisor(checkpoints))
    assert steps == list(range(step + 1, 7))
    whole = train(trial, data, CPU)
    assert _same(continued, whole)
    assert whole[0].multiply_adds == train(small_trial(), data, CPU)[0].multiply_adds
    assert not _same(whole, train(small_trial(epochs=3), data, CPU))


@pytest.mark.parametrize(
    "recipe",
    [
        {"optimizer": "adamw", "betas": [0.8, 0.9], "eps": 1e-6},
        {"optimizer": "lion"},
        {"optimizer": "muon"},
        {"clip_norm": 0.1},
        {"restarts": 2},
        {"schedule": "plateau", "patience": 1, "cuts": 2, "watched": 0.2, "lr": 3.0},
        {"watched": 0.2},
        {"loss": "bce"},
        {"loss": "focal", "focal_gamma": 0.5},
        {"randaugment": 2, "magnitude": 15},
        {"erasing": 0.5, "cutout": 2},
        {"mixup": 0.4, "cutmix": 1.0, "loss": "bce"},
        {"dropout": 0.3},
        {"stochastic_depth": 0.5},
        {"ema": 0.9},
        {"weights": f"sha256:{0:064}", "freeze": [2, 3], "ema": 0.9},
        {
            "optimizer": "muon",
            "ema": 0.5,
            "mixup": 1,
            "randaugment": 1,
            "stochastic_depth": 0.3,
            "clip_norm": 1,
        },
    ],
    ids=str,
)
@pytest.mark.parametrize("kernels", [NO_KERNELS, pytest.param(ALL_KERNELS, marks=needs_kernels)], ids=str)
def test_every_part_of_a_recipe_continues(
    recipe: dict[str, Any], kernels: Kernels, data: Prepared, tmp_path: Path
) -> None:
    trial = small_trial(**recipe, epochs=2.5)
    state = build_model("resnet8", num_classes=4, in_channels=1, seed=7).state_dict()
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    with pytest.raises(Stopped):
        train(trial, data, CPU, supervisor=StopAt(checkpoints, 3), kernels=kernels, weights=state)
    steps: list[int] = []
    observer = Observer(progress=lambda done, _: steps.append(done))
    continued = train(trial, data, CPU, observer, Supervisor(checkpoints), kernels=kernels, weights=state)
    assert steps == [4, 5]
    assert _same(continued, train(trial, data, CPU, kernels=kernels, weights=state))


def test_noise_continues_too(data: Prepared, tmp_path: Path) -> None:
    """Shake-Shake draws in every forward pass."""
    trial = type(small_trial())("shake-shake-8-2x8d", None, DATA, small_trial(epochs=2).recipe, 0)
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    with pytest.raises(Stopped):
        train(trial, data, CPU, supervisor=StopAt(checkpoints, 3))
    steps: list[int] = []
    observer = Observer(progress=lambda done, _: steps.append(done))
    continued = train(trial, data, CPU, observer, Supervisor(checkpoints))
    assert steps == [4]
    assert _same(continued, train(trial, data, CPU))


def test_two_are_kept_and_the_newest_is_used(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    for step in (1, 2, 3):
        checkpoints.save(step, {"value": torch.tensor(step)})
    assert [path.name for path in sorted((tmp_path / "c").iterdir())] == [
        "000000000002.pt",
        "000000000003.pt",
    ]
    newest = checkpoints.newest()
    assert newest is not None
    assert newest["value"] == 3
    checkpoints.remove()
    assert checkpoints.newest() is None
    assert not (tmp_path / "c").exists()


def test_every_truncation_is_found_and_the_one_before_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path / "c", CONTEXT)
    checkpoints.save(1, {"value": torch.tensor(1)})
    checkpoints.save(2, {"value": torch.tensor(2)})
    path = tmp_path / "c" / "000000000002.pt"
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=r"it is no checkpoint|its checksum is wrong"):
            read_checkpoint(path)
    with caplog.at_level(logging.WARNING, logger="ablations"):
        newest = checkpoints.newest()
    assert newest is not None
    assert newest["value"] == 1
    assert "is passed over: its checksum is wrong" in caplog.text


@pytest.mark.parametrize("place", [0, 40, 100, -1])
def test_a_flipped_bit_is_found(tmp_path: Path, place: int) -> None:
    Checkpoints(tmp_path, CONTEXT).save(1, {"value": torch.tensor(1)})
    [path] = tmp_path.glob("*.pt")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"it is no checkpoint|its checksum is wrong"):
        read_checkpoint(path)


def test_a_checkpoint_of_other_code_is_not_continued(tmp_path: Path) -> None:
    Checkpoints(tmp_path, CONTEXT).save(1, {"value": torch.tensor(1)})
    assert Checkpoints(tmp_path, {**CONTEXT, "commit": "def"}).newest() is None
    assert Checkpoints(tmp_path, CONTEXT).newest() is not None


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    """Even one with the right checksum: nothing but tensors and plain values is read."""
    buffer = io.BytesIO()
    torch.save({"context": {}, "step": 1, "state": _Evil(tmp_path / "ran")}, buffer)
    payload = buffer.getvalue()
    path = tmp_path / "evil.pt"
    path.write_bytes(MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    with pytest.raises(ValueError, match="it cannot be loaded"):
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "1.pt").write_bytes(b"senet-ablations checkpoint 2\n")
    with pytest.raises(ValueError, match="version 2 of the format wrote it"):
        read_checkpoint(tmp_path / "1.pt")


def test_a_checkpoint_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "1.pt").touch()
    os.truncate(tmp_path / "1.pt", 2**40)
    with pytest.raises(ValueError, match="1,099,511,627,776 bytes, and at most"):
        read_checkpoint(tmp_path / "1.pt")
    os.mkfifo(tmp_path / "2.pt")
    with pytest.raises(ValueError, match="it is no plain file"):
        read_checkpoint(tmp_path / "2.pt")


def test_a_checkpoint_that_would_unpack_to_more_than_it_has_is_refused(tmp_path: Path) -> None:
    buffer, bomb = io.BytesIO(), io.BytesIO()
    torch.save({"context": {}, "step": 1, "state": {"w": torch.zeros(10_000_000)}}, buffer)
    with zipfile.ZipFile(buffer) as plain, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in plain.infolist():
            packed.writestr(part.filename, plain.read(part))
    payload = bomb.getvalue()
    assert len(payload) < 100_000
    (tmp_path / "1.pt").write_bytes(MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    with pytest.raises(ValueError, match="it would unpack to 40,"):
        read_checkpoint(tmp_path / "1.pt")


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("no folder can be made here")
    with caplog.at_level(logging.WARNING, logger="ablations"):
        checkpoints = Checkpoints(tmp_path / "taken" / "c", CONTEXT)
        for step in range(3):  # said once, not every minute of a long training
            checkpoints.save(step, {})
        assert [line.startswith("no checkpoint in") for line in caplog.messages] == [True]
        (tmp_path / "taken").unlink()
        checkpoints.save(3, {})
        shutil.rmtree(tmp_path / "taken")
        (tmp_path / "taken").write_text("")
        checkpoints.save(4, {})
        assert len(caplog.messages) == 2


def test_a_keeper_saves_when_due_and_ends_a_trial_over_its_time(tmp_path: Path) -> None:
    supervisor = Supervisor(Checkpoints(tmp_path / "a", CONTEXT, min_seconds=0), timeout_seconds=1e9)
    supervisor.after_step(1, dict, epoch_ended=False, last=False)
    assert not (tmp_path / "a").exists()
    supervisor.after_step(2, dict, epoch_ended=True, last=False)
    assert len(list((tmp_path / "a").iterdir())) == 1
    late = Supervisor(Checkpoints(tmp_path / "b", CONTEXT), timeout_seconds=0.0)
    late.after_step(9, dict, epoch_ended=True, last=True)  # it is at its end anyway
    with pytest.raises(TimedOut, match="longer than 0 s"):
        late.after_step(1, dict, epoch_ended=False, last=False)
    assert len(list((tmp_path / "b").iterdir())) == 1


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))
