"""The doctor finds what killed sweeps, damaged disks and wrong hands do, and mends what loses nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from doctoring import RESULT, dead_holder, finished, look, paths_in
from small import DATA, small_study

from ablations.planning.commands import prepare_command
from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import ensure_prepared
from ablations.running.data.raw_dataset import from_arrays
from ablations.running.data.writing import write
from ablations.running.machine.code_version import code_version
from ablations.running.machine.holder import Holder
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from ablations.running.training.checkpoint import Checkpoints


@pytest.fixture(autouse=True)
def _well_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with this machine is for `test_doctor_machine.py`."""
    for name in ("check_packages", "check_devices", "check_disk"):
        monkeypatch.setattr(f"ablations.running.doctor.examination.{name}", lambda *_: ())


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return paths_in(tmp_path)


def lease_of(paths: StudyPaths, key: str, holder: Holder) -> Path:
    paths.leases.mkdir(parents=True, exist_ok=True)
    path = paths.leases / f"{key}.json"
    path.write_text(json.dumps(asdict(holder)), encoding="utf-8")
    return path


def test_nothing_is_wrong_in_an_empty_folder_and_nothing_is_made(paths: StudyPaths) -> None:
    assert look(paths, tracking=True, fix=True) == []
    assert list(paths.results_dir.parent.iterdir()) == []


def test_a_sound_record_is_sound(paths: StudyPaths) -> None:
    TrialFile(paths.record).append(finished(0), finished(1))
    assert look(paths) == []


def test_corrupt_lines_are_named_by_their_numbers_and_left_alone(paths: StudyPaths) -> None:
    TrialFile(paths.record).append(finished(0), finished(1))
    good = paths.record.read_bytes().splitlines(keepends=True)
    broken = b"{}\n" + good[0] + b"\xff\xfe\n" + good[1]
    paths.record.write_bytes(broken)
    one, two = look(paths, fix=True)
    assert (one.level, two.level) == ("problem", "problem")
    assert "line 1 is corrupt: its schema is None" in one.what
    assert "line 3 is corrupt" in two.what
    assert paths.record.read_bytes() == broken


@pytest.mark.parametrize("kept", [1, 100, -2])
def test_a_torn_last_line_is_set_aside_and_no_other_is_touched(paths: StudyPaths, kept: int) -> None:
    TrialFile(paths.record).append(finished(0))
    whole = paths.record.read_bytes()
    torn = finished(1).to_line().encode()[:kept]
    paths.record.write_bytes(whole + torn)
    [found] = look(paths)
    assert (found.level, found.mended) == ("warning", False)
    assert f"cut off after {len(torn)} bytes" in found.what
    [found] = look(paths, fix=True)
    assert found.mended
    assert paths.record.read_bytes() == whole
    assert paths.record.with_name("trials.jsonl.torn").read_bytes() == torn + b"\n"
    assert look(paths) == []


def test_lines_of_a_newer_version_are_not_called_corrupt(paths: StudyPaths) -> None:
    paths.record.parent.mkdir(parents=True, exist_ok=True)
    paths.record.write_text('{"schema": 2}\n{"schema": 3}\n', encoding="utf-8")
    (found,) = look(paths)
    assert "line 1 (and 1 more line): a newer version wrote it: its schema is 2" in found.what
    assert "corrupt" not in found.what
    assert "remove nothing" in str(found.how_to_mend)


def test_a_torn_line_below_a_corrupt_one_stays_and_the_reason_is_said(paths: StudyPaths) -> None:
    paths.results.mkdir(parents=True)
    paths.record.write_bytes(b"{}\nhalf")
    corrupt, torn = look(paths, fix=True)
    assert corrupt.is_open
    assert not torn.mended
    assert "line 1 is corrupt" in torn.how_to_mend
    assert paths.record.read_bytes() == b"{}\nhalf"


def test_the_key_is_the_hash_of_the_trial(paths: StudyPaths) -> None:
    changed = {**finished(1).trial, "seed": 7}
    TrialFile(paths.record).append(finished(0), finished(1, trial=changed))
    [found] = look(paths)
    assert found.is_open
    assert "the key is not that of the trial in line 2" in found.what


def test_a_trial_that_is_finished_twice(paths: StudyPaths) -> None:
    again = finished(0, result=replace(RESULT, weights_sha256="1" * 64))
    TrialFile(paths.record).append(finished(0), finished(1), again)
    [found] = look(paths)
    assert found.level == "warning"
    assert "finished in lines 1, 3, with different weights" in found.what


def test_results_of_other_data(paths: StudyPaths) -> None:
    TrialFile(paths.record).append(finished(0), finished(1, digest="e" * 64))
    [found] = look(paths)
    assert found.is_open
    assert "of 2 different preparations: dddddddddddd in line 1; eeeeeeeeeeee in line 2" in found.what


def test_results_of_data_that_the_prepared_file_does_not_have(paths: StudyPaths) -> None:
    digest = ensure_prepared(DATA, paths.results_dir.parent / "data").digest
    TrialFile(paths.record).append(finished(0))
    [found] = look(paths)
    assert f"digest dddddddddddd, the prepared file has {digest[:12]}" in found.what
    paths.record.unlink()
    TrialFile(paths.record).append(finished(0, digest=digest))
    assert look(paths) == []


def test_a_damaged_data_file_and_one_that_is_cut(paths: StudyPaths, tmp_path: Path) -> None:
    path = ensure_prepared(DATA, tmp_path / "data").path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    [found] = look(paths)
    assert found.is_open
    assert "does not match its digest" in found.what
    assert found.how_to_mend == f"remove it, then: {prepare_command('digits', path.parent)}"
    path.write_bytes(whole[:-100])
    [found] = look(paths)
    assert "is damaged" in found.what
    path.write_bytes(whole)
    shutil.copy(path, path.with_name("cifar10.safetensors"))
    [found] = look(paths)
    assert "holds 'digits'" in found.what


def test_a_data_set_that_a_study_needs_and_that_is_not_there(paths: StudyPaths) -> None:
    design = small_study(
        baseline={"backbone": "resnet8", "variant": "se", "data": {"name": "cifar10"}}, axes={}
    )
    [found] = look(paths, design=design, study="small")
    assert (found.level, found.how_to_mend.partition(" --data-dir ")[0].rpartition("/")[2]) == (
        "warning",
        "ablate data prepare cifar10",
    )
    assert look(paths, design=small_study(), study="small") == []  # digits is made when it is needed


def test_leases_of_the_dead_are_removed_and_those_of_the_living_stay(paths: StudyPaths) -> None:
    dead = lease_of(paths, "a" * 16, dead_holder())
    living = lease_of(paths, "b" * 16, Holder.this_process())
    elsewhere = lease_of(paths, "c" * 16, Holder("another-machine", "", 1, 1))
    [found] = look(paths)
    assert "a" * 16 in found.what
    assert "which is dead" in found.what
    [found] = look(paths, fix=True)
    assert found.mended
    assert [path.exists() for path in (dead, living, elsewhere)] == [False, True, True]
    assert Leases(paths.leases).held() == ["b" * 16, "c" * 16]


def test_running_files_of_nobody_are_removed(paths: StudyPaths) -> None:
    lease_of(paths, "b" * 16, Holder.this_process())
    paths.running.mkdir()
    mine = Holder.this_process().token
    files = [
        f"{name * 16}.{token}.{kind}"
        for name in "ab"
        for token in (mine, "0" * 32)
        for kind in ("jsonl", "prune")
    ]
    for name in files:
        (paths.running / name).write_text("{}\n", encoding="utf-8")
    found = look(paths, fix=True)
    assert [finding.mended for finding in found] == [True] * 6
    assert {path.name for path in paths.running.iterdir()} == {
        f"{'b' * 16}.{mine}.{k}" for k in ("jsonl", "prune")
    }


def test_a_stop_file_of_a_sweep_that_ended_is_removed(paths: StudyPaths) -> None:
    paths.running.mkdir(parents=True)
    elsewhere = replace(dead_holder(), namespace="pid:[1]")
    owners = {"mine": Holder.this_process(), "dead": dead_holder(), "elsewhere": elsewhere, "old": elsewhere}
    for name, owner in owners.items():
        (paths.running / f"stop.{name}").write_text(owner.to_text(), encoding="utf-8")
    os.utime(paths.running / "stop.old", (1.0, 1.0))
    found = look(paths, fix=True)
    assert [finding.mended for finding in found] == [True, True]
    assert sorted(path.name for path in paths.running.iterdir()) == ["stop.elsewhere", "stop.mine"]


def test_drafts_and_probes_are_removed_when_they_are_old(paths: StudyPaths) -> None:
    paths.leases.mkdir(parents=True)
    old = [
        paths.results / ".writable-1",
        paths.results / ".forecast.json.2.partial",
        paths.leases / ".k.3.new",
    ]
    new = [path.with_name(path.name.replace(".", ".x", 1)) for path in old]
    new[0] = paths.results / ".writable-x"
    for path in (*old, *new):
        path.touch()
    for path in old:
        os.utime(path, (1.0, 1.0))
    found = look(paths, fix=True)
    assert [finding.mended for finding in found] == [True] * 3
    assert [path.exists() for path in (*old, *new)] == [False] * 3 + [True] * 3


def checkpointed(paths: StudyPaths, key: str, context: dict[str, Any]) -> Path:
    Checkpoints(paths.checkpoints / key, context).save(7, {"x": torch.zeros(3)})
    [path] = (paths.checkpoints / key).glob("*.pt")
    return path


def test_checkpoints_of_no_use_are_removed_and_the_others_stay(paths: StudyPaths) -> None:
    done = finished(0)
    TrialFile(paths.record).append(done)
    of_finished = checkpointed(paths, done.key, dict(code_version()))
    torn = checkpointed(paths, "a" * 16, dict(code_version()))
    torn.write_bytes(torn.read_bytes()[:-5])
    partial = torn.with_name(".000000000008.pt.1.partial")
    partial.touch()
    good = checkpointed(paths, "b" * 16, dict(code_version()))
    other_code = checkpointed(paths, "c" * 16, {"source": "0" * 16})
    running = checkpointed(paths, "d" * 16, dict(code_version()))
    running.write_bytes(b"half")
    lease_of(paths, "d" * 16, Holder.this_process())
    found = look(paths)
    assert {finding.level for finding in found} == {"warning"}
    assert len(found) == 4
    mended = [finding for finding in look(paths, fix=True) if finding.mended]
    assert len(mended) == 3
    assert [p.exists() for p in (of_finished, torn, partial)] == [False] * 3
    assert [p.exists() for p in (good, other_code, running)] == [True] * 3
    [left] = look(paths)
    assert "is of other code (source 0000000000000000; this is" in left.what
    assert TrialFile.load(paths.record).finished.keys() == {done.key}


def test_the_digest_of_an_image_folder_belongs_to_the_study_that_names_it(paths: StudyPaths) -> None:
    from ablations.running.doctor.data import digests_of

    assert digests_of(paths.results_dir, ()) == {}
    assert digests_of(paths.results_dir, [DataSpec(name="image-folder", path="x", size=32)]) == {}


def test_a_checkpoint_that_could_not_be_read_stays(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpointed(paths, "c" * 16, {})

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("ablations.running.training.checkpoint.read_bounded", refuse)
        [found] = look(paths, fix=True)
    assert (found.mended, "it cannot be read: Permission denied" in found.what) == (False, True)

    def too_large(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", too_large)
        [found] = look(paths, fix=True)
    assert (found.mended, "not enough memory" in found.what) == (False, True)
    assert path.exists()


def test_a_folder_that_may_not_be_entered_hides_no_other(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (paths.results_dir / name).mkdir(parents=True)
    (paths.results_dir / "b" / "trials.jsonl").write_bytes(b"half")
    access, held = os.access, Leases.held

    def refuse(self: Leases) -> list[str]:
        if self._folder.parent.name == "a":
            raise PermissionError(errno.EACCES, "Permission denied")
        return held(self)

    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "a" and access(path, mode))
    monkeypatch.setattr(Leases, "held", refuse)
    said = [finding.what for finding in look(paths)]
    assert any(
        line.startswith("cannot look into ") and line.endswith("a: Permission denied") for line in said
    )
    assert any("trials.jsonl" in line and "/b/" in line for line in said)


def test_cifar10_is_no_cifar100(paths: StudyPaths) -> None:
    data_dir = paths.results_dir.parent / "data"
    images, labels = np.zeros((2, 32, 32, 3), np.uint8), np.arange(2)
    content = from_arrays(tuple("0123456789"), (images, labels), (images, labels), source="made")
    write(data_dir / "cifar100.safetensors", "cifar10", content)
    [found] = look(paths)
    assert found.level == "problem"
    assert "cifar100.safetensors holds 'cifar10'" in found.what
