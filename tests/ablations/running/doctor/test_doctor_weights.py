"""The doctor finds weights that are damaged or nobody's; that a trial has none is no fault."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from doctoring import finished, look, paths_in

from ablations.running.doctor import examine
from ablations.running.machine.holder import Holder
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import pack_weights
from ablations.running.training.evaluation import hash_weights


@pytest.fixture(autouse=True)
def _well_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with this machine is for `test_doctor_machine.py`."""
    for name in ("check_packages", "check_devices", "check_disk"):
        monkeypatch.setattr(f"ablations.running.doctor.examination.{name}", lambda *_: ())


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return paths_in(tmp_path)


def record(paths: StudyPaths, seed: int = 0) -> tuple[TrialRecord, Path]:
    """Record a trial with its weights; return its line and their file."""
    network, line = torch.nn.Linear(2, 3), finished(seed)
    assert line.result is not None
    line = replace(line, result=replace(line.result, weights_sha256=hash_weights(network)))
    study = StudyRecord(paths.results)
    study.add_trials(line, weights={line.key: pack_weights(network.state_dict(), {"key": line.key})})
    path = study.weights(line.key)
    assert path is not None
    return line, path


def test_whole_weights_are_well_and_so_is_a_trial_without_any(paths: StudyPaths) -> None:
    record(paths)
    record(paths, 1)[1].unlink()
    assert look(paths) == []
    said = [finding.what for finding in examine(paths.results_dir, paths.results_dir, tracking=False)]
    assert f"{paths.weights}: the weights of 1 trial, as the record says" in said


def test_damaged_weights_are_a_warning_that_no_fix_hides(paths: StudyPaths) -> None:
    (one, flipped), (_, other) = record(paths), record(paths, 1)
    content = flipped.read_bytes()
    flipped.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    other.write_bytes(content)
    for fix in (False, True):
        found = {finding.what: finding for finding in look(paths, fix=fix)}
        assert found.keys() == {
            f"small: the weights {flipped} are damaged: its weights are not those that the record names",
            f"small: the weights {other} are damaged: it is of trial {one.key}",
        }
        for finding in found.values():
            assert (finding.level, finding.mended) == ("warning", False)
            assert "ablate reproduce STUDY KEY --keep-weights" in finding.how_to_mend


def test_weights_that_no_line_names_are_moved_aside(paths: StudyPaths) -> None:
    line, own = record(paths)
    stranger = own.with_name(f"{line.key}-00000000.safetensors")
    stranger.write_bytes(own.read_bytes())
    assert [(finding.level, finding.mended) for finding in look(paths)] == [("warning", False)]
    assert [(finding.level, finding.mended) for finding in look(paths, fix=True)] == [("warning", True)]
    assert look(paths) == []
    assert own.exists()
    assert (paths.results / "weights.aside" / stranger.name).exists()


def test_weights_of_a_trial_whose_line_is_being_written_are_left_alone(paths: StudyPaths) -> None:
    _, own = record(paths)
    waiting = own.with_name(f"{'f' * 16}-00000000.safetensors")
    waiting.write_bytes(own.read_bytes())
    paths.leases.mkdir()
    (paths.leases / f"{'f' * 16}.json").write_text(Holder.this_process().to_text(), encoding="utf-8")
    assert look(paths, fix=True) == []
    assert waiting.exists()


def test_a_draft_of_the_dead_is_removed_and_a_fresh_one_is_not(paths: StudyPaths) -> None:
    _, own = record(paths)
    old, new = (own.with_name(f".{own.name}.{name}.partial") for name in ("1", "2"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert [finding.mended for finding in look(paths, fix=True)] == [True]
    assert (old.exists(), new.exists()) == (False, True)
