"""The doctor finds tests after the training whose outcomes are damaged, missing or nobody's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from doctoring import look, paths_in

from ablations.planning.networks.views import Views
from ablations.running.doctor import examine
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.tested.lines import (
    MeasuredLine,
    add_test,
    key_of_test,
    outcomes_file,
    read_tests,
)


@pytest.fixture(autouse=True)
def _well_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with this machine is for `test_doctor_machine.py`."""
    for name in ("check_packages", "check_devices", "check_disk"):
        monkeypatch.setattr(f"ablations.running.doctor.examination.{name}", lambda *_: ())


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    found = paths_in(tmp_path)
    found.results.mkdir(parents=True, exist_ok=True)
    return found


def add(paths: StudyPaths, crops: int) -> Path:
    """Record a test of eight images; return the file of its outcomes, an old one."""
    networks, views = (("a" * 16, "b" * 64),), Views(crops)
    images = {"name": "digits", "digest": "d" * 64, "images": 8}
    line = MeasuredLine(
        key=key_of_test(networks, views, images), networks=networks, views=views.to_json(), images=images,
        top1_error=25.0, top5_error=None, loss=0.5, outcomes_sha256="", seconds=1.0, environment={},
    )  # fmt: skip
    line = add_test(paths.results, line, np.arange(8) % 4 > 0)
    path = outcomes_file(paths.results, line.key, line.outcomes_sha256)
    os.utime(path, (0, 0))
    return path


def test_whole_tests_are_well(paths: StudyPaths) -> None:
    add(paths, 1)
    add(paths, 10)
    assert look(paths) == []
    said = [finding.what for finding in examine(paths.results_dir, paths.results_dir, tracking=False)]
    assert f"{paths.results / 'tests'}: the outcomes of 2 tests, as their lines say" in said


def test_damaged_and_missing_outcomes_are_problems_that_no_fix_hides(paths: StudyPaths) -> None:
    add(paths, 1).unlink()
    flipped = add(paths, 10)
    content = flipped.read_bytes()
    flipped.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(flipped, (0, 0))
    for fix in (False, True):
        found = look(paths, fix=fix)
        assert [(finding.level, finding.mended) for finding in found] == [("problem", False)] * 2
        assert all(
            "remove the line from tests.jsonl: it is then tested again" in f.how_to_mend for f in found
        )


def test_outcomes_that_no_line_names_are_moved_aside_once_they_are_old(paths: StudyPaths) -> None:
    own = add(paths, 1)
    stranger = own.with_name(f"{'e' * 16}-{'0' * 8}.bits")
    stranger.write_bytes(own.read_bytes())
    assert look(paths, fix=True) == []  # its line may be on the way
    os.utime(stranger, (0, 0))
    assert [(finding.level, finding.mended) for finding in look(paths)] == [("warning", False)]
    assert [(finding.level, finding.mended) for finding in look(paths, fix=True)] == [("warning", True)]
    assert look(paths) == []
    assert (paths.results / "tests.aside" / stranger.name).exists()
    assert own.exists()


def test_a_corrupt_line_is_a_problem(paths: StudyPaths) -> None:
    add(paths, 1)
    path = paths.results / "tests" / "tests.jsonl"
    path.write_bytes(path.read_bytes() + b"{}\n")
    [found] = look(paths)
    assert found.level == "problem"
    path.write_bytes(path.read_bytes()[:-3])
    assert len(read_tests(paths.results)) == 1
