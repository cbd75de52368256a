"""A sweep keeps the outcomes of each trial that it finishes, before the trial's line, and of no other."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import DATA, of_digits, small_study
from sweeping import Sweeps

from ablations.running.data import open_prepared
from ablations.running.machine import durable
from ablations.running.record import outcomes as files
from ablations.running.record.image_labels import ImageLabels, labels_file
from ablations.running.record.study_record import StudyRecord
from ablations.running.sweep.endings import line_of
from ablations.running.sweep.reproduce import compare
from ablations.running.trials.task import TaskOutcome

FAILED_WHOLE = "the outcomes of the trial did not come back whole"


def check(record: StudyRecord, folder: Path) -> None:
    """Each finished trial has its outcomes, and no file is nobody's."""
    expected = set()
    for key, line in record.finished.items():
        right = record.outcomes(key)
        assert line.result is not None
        assert right is not None
        assert right.shape == (40,)
        assert 100 * np.count_nonzero(~right) / 40 == line.result.top1_error
        expected.add(files.outcomes_file(folder, line))
    assert set((folder / files.FOLDER).glob("*.bits")) == expected


TWO: dict[str, Any] = {"axes": {}, "seeds": 1}
"""Fields of a study of two trials."""


def test_every_finished_trial_has_its_outcomes_and_the_labels_are_there_once(sweeps: Sweeps) -> None:
    design = small_study(**TWO)
    tested = open_prepared(DATA, sweeps.data_dir)
    labels = ImageLabels(sweeps.prepared.digest, tested.classes, tested.test_labels.numpy())
    record = sweeps.sweep(design, inputs=of_digits(sweeps.prepared.digest, labels)).record
    folder = sweeps.paths(design).results
    assert len(record.finished) == 2
    check(record, folder)
    assert list((folder / files.FOLDER).glob("*.labels")) == [labels_file(folder, tested.digest, 40)]
    found = record.labels(design.trials[0].key)
    assert found is not None
    assert np.array_equal(found.labels, tested.test_labels.numpy())


def test_a_sweep_killed_between_outcomes_and_line_is_repeated_with_the_same_bits(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = small_study(**TWO)
    folder = sweeps.paths(design).results

    def killed(path: Path, content: bytes) -> None:
        raise SystemExit  # as by SIGKILL, nothing of the sweep's own follows

    with monkeypatch.context() as patch:
        patch.setattr("ablations.running.record.trial_file.append_durably", killed)
        with pytest.raises(SystemExit):
            sweeps.sweep(design)
    [left] = (folder / files.FOLDER).iterdir()
    assert not (folder / "trials.jsonl").exists()
    check(sweeps.sweep(design).record, folder)
    assert left.exists()


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_a_full_disk_fails_the_trial_and_the_next_sweep_tries_it_again(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    design = small_study(**TWO)
    folder = sweeps.paths(design).results
    real = durable.write_durably

    def full(path: Path, content: bytes) -> None:
        with monkeypatch.context() as patch:

            def refuses(*given: Any, **named: Any) -> Any:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            patch.setattr(os if call == "fsync" else Path, call, refuses)
            real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_durably", full)
        outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (0, 2)
    for line in outcome.record.trials.lines:
        assert line.failure is not None
        assert line.failure.kind == "disk"
        assert "cannot write the outcomes" in line.failure.message
        assert "No space left on device" in line.failure.message
    assert not list((folder / files.FOLDER).iterdir())
    outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (2, 0)
    check(outcome.record, folder)


CHANGES = {
    "not there": lambda outcome: replace(outcome, outcomes=None),
    "cut off": lambda outcome: replace(outcome, outcomes=outcome.outcomes[:-1]),
    "another's": lambda outcome: replace(
        outcome, outcomes=files.Outcomes("f" * 16, outcome.data_digest, np.zeros(40, bool)).to_bytes()
    ),
    "of other images": lambda outcome: replace(
        outcome, outcomes=outcome.outcomes.replace(b'"images": 40', b'"images": 39')
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_outcomes_that_an_executor_damages_fail_their_trial(sweeps: Sweeps, change: str) -> None:
    design = small_study(**TWO)
    sweeps.change = CHANGES[change]
    outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (0, 2)
    for line in outcome.record.trials.lines:
        assert line.failure is not None
        assert line.failure.message.startswith(FAILED_WHOLE)
    assert not (sweeps.paths(design).results / files.FOLDER).exists()


def test_a_sweep_that_comes_second_leaves_the_files_of_the_first(sweeps: Sweeps) -> None:
    """Another machine finishes the trial while it is trained here, with one image more right."""
    design = small_study(**TWO)
    folder, stood = sweeps.paths(design).results, []

    def overtaken(outcome: TaskOutcome) -> TaskOutcome:
        assert outcome.result is not None
        assert outcome.outcomes is not None
        own = files.Outcomes.from_bytes(outcome.outcomes)
        right = own.right.copy()
        right[np.flatnonzero(~right)[0]] = True
        content = replace(own, right=right).to_bytes()
        error = 100 * int(np.count_nonzero(~right)) / 40
        result = replace(outcome.result, top1_error=error, outcomes_sha256=files.hash_of(content))
        trial = next(trial for trial in design.trials if trial.key == own.key)
        line = line_of("small", trial, replace(outcome, result=result, outcomes=content))
        stood.extend(StudyRecord(folder).add_trials(line, outcomes={line.key: content}))
        return outcome

    sweeps.change = overtaken
    record = sweeps.sweep(design).record
    assert len(stood) == 2
    assert record.trials.lines == stood
    check(record, folder)


def test_a_trial_that_takes_part_in_a_choice_has_none(sweeps: Sweeps) -> None:
    chosen = {
        "baseline": {
            "backbone": "resnet8",
            "data": {"name": "digits", "train_images": 80, "validation_images": 40},
        }
    }
    design = small_study(**TWO, **chosen)
    record = sweeps.sweep(design).record
    assert len(record.finished) == 2
    assert all(record.outcomes(key) is None for key in record.finished)
    assert "outcomes" not in sweeps.paths(design).record.read_text()
    assert not (sweeps.paths(design).results / files.FOLDER).exists()


def test_another_study_takes_the_outcomes_with_the_trials(sweeps: Sweeps) -> None:
    design, other = small_study(**TWO), small_study("other", **TWO)
    sweeps.sweep(design)
    record = sweeps.sweep(other).record
    assert len(sweeps.trained) == 2
    assert {line.shared_from for line in record.finished.values()} == {"small"}
    check(record, sweeps.paths(other).results)


def test_a_repetition_compares_the_outcomes_where_they_are_recorded(sweeps: Sweeps) -> None:
    design = small_study(**TWO)
    ends: list[TaskOutcome] = []
    sweeps.change = lambda outcome: (ends.append(outcome), outcome)[1]
    [line, _] = sweeps.sweep(design).record.trials.lines
    [end, _] = ends
    assert line.result is not None
    assert compare(line, end).identical
    other = replace(line, result=replace(line.result, outcomes_sha256="0" * 64))
    assert [name for name, *_ in compare(other, end).differing] == ["outcomes_sha256"]
    assert compare(replace(line, result=replace(line.result, outcomes_sha256=None)), end).identical
