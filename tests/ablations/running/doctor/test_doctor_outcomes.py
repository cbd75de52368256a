"""The doctor finds outcomes that are missing, damaged or nobody's, and never moves those of a finished trial."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from doctoring import finished, look, paths_in

from ablations.running.machine.holder import Holder
from ablations.running.record.image_labels import ImageLabels, keep_labels
from ablations.running.record.outcomes import Outcomes, hash_of, outcomes_file, write_kept
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord

RIGHT = np.arange(20) >= 2  # an error of 10 %, as the lines have


@pytest.fixture(autouse=True)
def _well_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with this machine is for `test_doctor_machine.py`."""
    for name in ("check_packages", "check_devices", "check_disk"):
        monkeypatch.setattr(f"ablations.running.doctor.examination.{name}", lambda *_: ())


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return paths_in(tmp_path)


def record(paths: StudyPaths, seed: int = 0) -> tuple[TrialRecord, Path]:
    """Record a trial with its outcomes; return its line and their file."""
    line = finished(seed)
    content = Outcomes(line.key, line.data_digest, RIGHT).to_bytes()
    assert line.result is not None
    line = replace(line, result=replace(line.result, outcomes_sha256=hash_of(content)))
    StudyRecord(paths.results).add_trials(line, outcomes={line.key: content})
    path = outcomes_file(paths.results, line)
    assert path is not None
    return line, path


def test_whole_outcomes_are_well(paths: StudyPaths) -> None:
    record(paths)
    keep_labels(paths.results, ImageLabels("d" * 64, ("cat", "dog"), np.zeros(20, int)))
    assert look(paths) == []


def test_missing_and_damaged_outcomes_are_problems_that_no_fix_hides(paths: StudyPaths) -> None:
    (one, missing), (two, cut), (_, whole) = (record(paths, seed) for seed in range(3))
    missing.unlink()
    os.truncate(cut, cut.stat().st_size - 1)
    for fix in (False, True):
        found = look(paths, fix=fix)
        assert [finding.is_open for finding in found] == [True, True]
        assert f"trial {one.key}: the outcomes {missing} are missing" in found[0].what
        assert f"trial {two.key}: the outcomes {cut} are damaged" in found[1].what
        assert "put that file back" in found[0].how_to_mend
    assert cut.exists()
    assert whole.exists()


def test_of_many_lost_files_some_are_named_and_the_others_counted(paths: StudyPaths) -> None:
    for seed in range(8):
        record(paths, seed)[1].unlink()
    *named, more = look(paths)
    assert len(named) == 5
    assert "the outcomes of 3 more trials are missing or damaged" in more.what
    assert more.is_open


def test_outcomes_under_the_name_of_another_trial_are_a_problem(paths: StudyPaths) -> None:
    (one, first), (_, second) = record(paths, 0), record(paths, 1)
    first.write_bytes(second.read_bytes())
    [found] = look(paths, fix=True)
    assert found.is_open
    assert one.key in found.what
    assert "it is of trial" in found.what


def test_outcomes_that_no_line_names_are_moved_aside(paths: StudyPaths) -> None:
    """Of a sweep killed before its line, of one that came second, and of a line that was removed."""
    line, own = record(paths)
    strangers = [
        own.with_name(f"{line.key}-00000000.bits"),
        own.with_name(f"{'f' * 16}-00000000.bits"),
    ]
    for path in strangers:
        write_kept(path, own.read_bytes())
    assert [(finding.level, finding.mended) for finding in look(paths)] == [("warning", False)] * 2
    assert [(finding.level, finding.mended) for finding in look(paths, fix=True)] == [("warning", True)] * 2
    assert look(paths) == []
    assert own.exists()
    aside = paths.results / "outcomes.aside"
    assert sorted(path.name for path in aside.iterdir()) == sorted(path.name for path in strangers)


def test_outcomes_of_a_trial_whose_line_is_being_written_are_left_alone(paths: StudyPaths) -> None:
    _, own = record(paths)
    waiting = own.with_name(f"{'f' * 16}-00000000.bits")
    write_kept(waiting, own.read_bytes())
    paths.leases.mkdir()
    (paths.leases / f"{'f' * 16}.json").write_text(Holder.this_process().to_text(), encoding="utf-8")
    assert look(paths, fix=True) == []
    assert waiting.exists()


def test_damaged_labels_are_removed_as_the_next_run_writes_them(paths: StudyPaths) -> None:
    _, own = record(paths)
    keep_labels(paths.results, ImageLabels("d" * 64, ("cat", "dog"), np.zeros(20, int)))
    [labels] = own.parent.glob("*.labels")
    for make in (lambda: os.truncate(labels, 5), lambda: labels.rename(own.parent / "dddd-3.labels")):
        make()
        [found] = look(paths)
        assert "labels" in found.what
        assert [finding.mended for finding in look(paths, fix=True)] == [True]
        assert look(paths) == []
        keep_labels(paths.results, ImageLabels("d" * 64, ("cat", "dog"), np.zeros(20, int)))


def test_a_draft_of_the_dead_is_removed_and_a_fresh_one_is_not(paths: StudyPaths) -> None:
    _, own = record(paths)
    old, new = (own.with_name(f".{own.name}.{name}.partial") for name in ("1", "2"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert [finding.mended for finding in look(paths, fix=True)] == [True]
    assert (old.exists(), new.exists()) == (False, True)
