"""Outcomes are those of their trial and no other's, whatever becomes of files, disks and sweeps."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ablations.analysis.results.outcomes.stacked import outcomes_of
from ablations.errors import RecordError
from ablations.running.machine.durable import DiskError
from ablations.running.record import outcomes as files
from ablations.running.record.image_labels import ImageLabels, keep_labels, labels_file, read_labels
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.outcomes import (
    FOLDER,
    Outcomes,
    check_outcomes,
    hash_of,
    outcomes_file,
    read_outcomes,
)
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import NoRoom, StudyRecord
from ablations.running.record.trial_record import TrialRecord, TrialResult
from senet_core.errors import UserError

DIGEST = "d" * 64
RIGHT = np.arange(43) % 5 != 0  # 9 of 43 are wrong, and the last byte is not full


def trial(key: str = "0123456789abcdef", right: np.ndarray = RIGHT) -> tuple[TrialRecord, dict[str, bytes]]:
    """A finished line and the file of its outcomes."""
    content = Outcomes(key, DIGEST, right).to_bytes()
    error = 100 * int(np.count_nonzero(~right)) / len(right)
    result = TrialResult(error, None, 0.4, 0.3, 9.0, 1000, 2000, {"2": 1}, 1.0, 0.1, 100.0, "0" * 64)
    line = TrialRecord(
        key=key,
        study="one",
        status="finished",
        trial={"backbone": "resnet20", "data": {"name": "cifar10"}, "seed": 0},
        result=replace(result, outcomes_sha256=hash_of(content)),
        history=(),
        failure=None,
        environment={},
        data_digest=DIGEST,
        data_note="",
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:01:00+00:00",
    )
    return line, {key: content}


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / FOLDER).iterdir())


@pytest.mark.parametrize("images", [1, 7, 8, 9, 10_000])
def test_outcomes_are_read_as_they_were_kept(tmp_path: Path, images: int) -> None:
    right = np.random.default_rng(images).random(images) < 0.9
    line, content = trial(right=right)
    [added] = StudyRecord(tmp_path).add_trials(line, outcomes=content)
    read = StudyRecord(tmp_path).outcomes(line.key)
    assert read is not None
    assert read.dtype == np.bool_
    assert np.array_equal(read, right)
    assert len(content[line.key]) < 256 + images / 8
    assert added == line


def test_a_line_without_outcomes_is_written_as_ever_and_has_none(tmp_path: Path) -> None:
    line, _ = trial()
    assert line.result is not None
    old = replace(line, result=replace(line.result, outcomes_sha256=None))
    assert "outcomes" not in old.to_line()
    assert StudyRecord(tmp_path).add_trials(old) == [old]
    assert not (tmp_path / FOLDER).exists()
    assert StudyRecord(tmp_path).outcomes(old.key) is None
    assert StudyRecord(tmp_path).outcomes("never trained") is None


OTHERS: dict[str, Callable[[Path, TrialRecord], object]] = {
    "missing": lambda path, line: path.unlink(),
    "cut off": lambda path, line: os.truncate(path, path.stat().st_size - 1),
    "empty": lambda path, line: path.write_bytes(b""),
    "one bit flipped": lambda path, line: path.write_bytes(
        path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 32])
    ),
    "a bit beyond the last image": lambda path, line: path.write_bytes(
        path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])
    ),
    "another trial's": lambda path, line: path.write_bytes(trial("f" * 16)[1]["f" * 16]),
    "of other data": lambda path, line: path.write_bytes(Outcomes(line.key, "e" * 64, RIGHT).to_bytes()),
    "of fewer images": lambda path, line: path.write_bytes(Outcomes(line.key, DIGEST, RIGHT[:9]).to_bytes()),
    "of a form that there never was": lambda path, line: path.write_bytes(
        path.read_bytes().replace(b'"schema": 1', b'"schema": 0')
    ),
    "not in JSON": lambda path, line: path.write_bytes(b"{" * 50_000 + b"\n"),
    "of no end": lambda path, line: os.truncate(path, 2**34),
    "a folder": lambda path, line: (path.unlink(), path.mkdir()),
    "a pipe": lambda path, line: (path.unlink(), os.mkfifo(path)),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_file_that_is_not_the_trials_is_left_out_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, other: str
) -> None:
    line, content = trial()
    StudyRecord(tmp_path).add_trials(line, outcomes=content)
    path = outcomes_file(tmp_path, line)
    assert path is not None
    OTHERS[other](path, line)
    record = StudyRecord(tmp_path)
    with caplog.at_level(logging.WARNING, "ablations"):
        assert record.outcomes(line.key) is None
        assert record.outcomes(line.key) is None
    [said] = caplog.messages
    assert str(path) in said
    assert "put that file back" in said
    assert "\n" not in said
    assert list(record.finished) == [line.key]


def test_a_file_of_a_newer_version_is_not_called_damaged(tmp_path: Path) -> None:
    line, content = trial()
    StudyRecord(tmp_path).add_trials(line, outcomes=content)
    path = outcomes_file(tmp_path, line)
    assert path is not None
    path.write_bytes(path.read_bytes().replace(b'"schema": 1', b'"schema": 2'))
    with pytest.raises(RecordError, match=r"a newer version wrote it: its schema is 2, .* remove nothing"):
        read_outcomes(tmp_path, line)
    keep_labels(tmp_path, LABELS)
    path = labels_file(tmp_path, DIGEST, 5)
    path.write_bytes(path.read_bytes().replace(b'"schema": 1', b'"schema": 2'))
    with pytest.raises(RecordError, match=r"a newer version wrote it: its schema is 2, .* remove nothing"):
        read_labels(tmp_path, DIGEST, 5)


def test_a_hash_that_fits_does_not_make_wrong_outcomes_right(tmp_path: Path) -> None:
    line, content = trial()
    assert line.result is not None
    other = replace(line, result=replace(line.result, top1_error=0.0))
    StudyRecord(tmp_path).add_trials(other, outcomes=content)
    with pytest.raises(RecordError, match=r"9 wrong answers of 43, and the record an error of 0\.0 %"):
        read_outcomes(tmp_path, other)
    with pytest.raises(RecordError, match="of other data than the trial"):
        read_outcomes(tmp_path, replace(line, data_digest="e" * 64))
    with pytest.raises(ValueError, match="it is of trial 0123456789abcdef"):
        check_outcomes(content[line.key], replace(line, key="f" * 16))


def test_as_many_wrong_answers_on_other_images_are_other_outcomes(tmp_path: Path) -> None:
    line, content = trial()
    StudyRecord(tmp_path).add_trials(line, outcomes=content)
    path = outcomes_file(tmp_path, line)
    assert path is not None
    path.write_bytes(Outcomes(line.key, DIGEST, np.roll(RIGHT, 1)).to_bytes())
    with pytest.raises(RecordError, match="its content is not that which the record names"):
        read_outcomes(tmp_path, line)


def test_a_file_that_says_more_than_outcomes_is_refused() -> None:
    content = Outcomes("f" * 16, DIGEST, RIGHT).to_bytes()
    for other in (content.replace(b'{"format"', b'{"more": 1, "format"'), content.replace(b": ", b":", 1)):
        with pytest.raises(ValueError, match="it says more than such a file does"):
            Outcomes.from_bytes(other)


@pytest.mark.parametrize("key", ["../../secret", "a/b", "", "x" * 65, ".", "a\0"])
def test_a_key_of_a_foreign_record_names_no_file_elsewhere(tmp_path: Path, key: str) -> None:
    line, _ = trial()
    with pytest.raises(RecordError, match="no trial's key"):
        outcomes_file(tmp_path, replace(line, key=key))


@pytest.mark.parametrize("sha256", ["../../../x", "AB" * 32, "", "0" * 63, 5])
def test_a_hash_that_is_none_makes_a_corrupt_line(sha256: object) -> None:
    line, _ = trial()
    assert line.result is not None
    text = line.to_line().replace(f'"{line.result.outcomes_sha256}"', repr(sha256).replace("'", '"'))
    with pytest.raises(ValueError, match="outcomes_sha256"):
        TrialRecord.from_line(text)


def test_of_two_sweeps_with_other_bits_the_recorded_one_keeps_its_file(tmp_path: Path) -> None:
    """Both train one trial, on processors that round otherwise; either may be the first to record it."""
    (first, bits), (second, others) = trial(), trial(right=np.roll(RIGHT, 1))
    one, two = StudyRecord(tmp_path), StudyRecord(tmp_path)
    assert one.finished == two.finished == {}
    assert one.add_trials(first, outcomes=bits) == [first]
    assert two.add_trials(second, outcomes=others) == []
    assert kept(tmp_path) == [outcomes_file(tmp_path, first).name]  # type: ignore[union-attr]
    for record in (one, two, StudyRecord(tmp_path)):
        assert np.array_equal(record.outcomes(first.key), RIGHT)  # type: ignore[arg-type]


def test_of_two_sweeps_with_the_same_bits_neither_takes_the_file_away(tmp_path: Path) -> None:
    line, bits = trial()
    one, two = StudyRecord(tmp_path), StudyRecord(tmp_path)
    assert one.add_trials(line, outcomes=bits) == [line]
    assert two.add_trials(line, outcomes=bits) == []
    assert np.array_equal(StudyRecord(tmp_path).outcomes(line.key), RIGHT)  # type: ignore[arg-type]


def test_outcomes_are_on_the_disk_before_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep killed in between leaves a file that the next one replaces by the same bits."""
    line, bits = trial()
    record = StudyRecord(tmp_path)

    def killed(*lines: TrialRecord, unless_finished: bool) -> list[TrialRecord]:
        raise SystemExit

    monkeypatch.setattr(record.trials, "append", killed)
    with pytest.raises(SystemExit):
        record.add_trials(line, outcomes=bits)
    [name] = kept(tmp_path)
    assert StudyRecord(tmp_path).finished == {}
    StudyRecord(tmp_path).add_trials(line, outcomes=bits)
    assert kept(tmp_path) == [name]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, NoRoom), (errno.EACCES, DiskError)],
    ids=["full", "refused"],
)
def test_no_line_without_its_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    line, bits = trial()

    def refuses(path: Path, content: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "write_durably", refuses)
    with pytest.raises(
        kind, match=rf"cannot write the outcomes .*{os.strerror(number)}; nothing recorded is lost"
    ):
        StudyRecord(tmp_path).add_trials(line, outcomes=bits)
    assert StudyRecord(tmp_path).finished == {}
    assert kept(tmp_path) == []


def test_a_trial_taken_from_another_study_brings_its_outcomes(tmp_path: Path) -> None:
    line, bits = trial()
    StudyRecord(tmp_path / "one").add_trials(line, outcomes=bits)
    mine = StudyRecord(tmp_path / "two")
    [taken] = OtherStudies(tmp_path, "two", {DIGEST}).take_over([line.key], mine)
    assert taken.shared_from == "one"
    assert np.array_equal(StudyRecord(tmp_path / "two").outcomes(line.key), RIGHT)  # type: ignore[arg-type]
    assert OtherStudies(tmp_path, "two", {DIGEST}).take_over([line.key], mine) == []
    assert len(kept(tmp_path / "two")) == 1


def test_a_trial_whose_outcomes_another_study_has_lost_is_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (line, bits), (other, others) = trial(), trial("f" * 16)
    StudyRecord(tmp_path / "one").add_trials(line, other, outcomes={**bits, **others})
    outcomes_file(tmp_path / "one", line).unlink()  # type: ignore[union-attr]
    mine = StudyRecord(tmp_path / "two")
    studies = OtherStudies(tmp_path, "two", {DIGEST})
    assert [taken.key for taken in studies.take_over([line.key, other.key], mine)] == [other.key]
    assert studies.finished([line.key]) == []
    [said] = caplog.messages
    assert f"trial {line.key} is not taken from study 'one': the outcomes" in said


def test_outcomes_are_set_aside_with_their_record(tmp_path: Path) -> None:
    paths = StudyPaths("one", tmp_path, tmp_path)
    line, bits = trial()
    for _ in range(2):  # twice within a second
        StudyRecord(paths.results).add_trials(line, outcomes=bits)
        paths.set_record_aside()
    assert not paths.outcomes.exists()
    aside = sorted(path.stem.partition("-")[2] for path in paths.results.glob("trials.before-*"))
    assert len(aside) == 2
    assert sorted(path.name.partition("-")[2] for path in paths.results.glob("outcomes.before-*")) == aside


def test_outcomes_of_a_row_are_stacked_or_not_there(tmp_path: Path) -> None:
    (one, bits), (two, others) = trial(), trial("f" * 16, np.roll(RIGHT, 1))
    short, few = trial("e" * 16, RIGHT[:9])
    record = StudyRecord(tmp_path)
    record.add_trials(one, two, short, outcomes={**bits, **others, **few})
    stacked = outcomes_of(record, [one.key, two.key])
    assert stacked is not None
    assert stacked.shape == (2, 43)
    assert np.array_equal(stacked, [RIGHT, np.roll(RIGHT, 1)])
    assert outcomes_of(record, [one.key, "unknown"]) is None
    assert outcomes_of(record, [one.key, short.key]) is None
    assert outcomes_of(record, []) is None


LABELS = ImageLabels(DIGEST, ("cat", "dög", "x" * 90), np.array([0, 2, 1, 1, 0]))


@pytest.mark.parametrize("classes", [1, 2, 256, 257, 70_000])
def test_labels_are_read_as_they_were_kept(tmp_path: Path, classes: int) -> None:
    names = tuple(f"class {number}" for number in range(classes))
    labels = ImageLabels(DIGEST, names, np.array([0, classes - 1, 0]))
    keep_labels(tmp_path, labels)
    read = read_labels(tmp_path, DIGEST, 3)
    assert read is not None
    assert read.classes == names
    assert np.array_equal(read.labels, labels.labels)
    assert read_labels(tmp_path, DIGEST, 4) is None


def test_damaged_labels_are_refused_and_written_again(tmp_path: Path) -> None:
    keep_labels(tmp_path, LABELS)
    path = labels_file(tmp_path, DIGEST, 5)
    whole = path.read_bytes()
    for damaged in (
        whole[:-1],
        whole[:-1] + b"\1",
        whole[:-1] + b"\7",
        b"",
        b"[]\n",
        whole.replace(b"dd", b"ee"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="remove that file, and the next `ablate run` writes it again"):
            read_labels(tmp_path, DIGEST, 5)
        keep_labels(tmp_path, LABELS)
        assert path.read_bytes() == whole


def test_a_trial_has_the_labels_of_its_images(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line, bits = trial(right=np.array([True, False, True, True, True]))
    record = StudyRecord(tmp_path)
    record.add_trials(line, outcomes=bits)
    assert record.labels(line.key) is None
    keep_labels(tmp_path, LABELS)
    found = record.labels(line.key)
    assert found is not None
    assert found.classes == LABELS.classes
    assert caplog.messages == []
    labels_file(tmp_path, DIGEST, 5).write_bytes(b"")
    assert record.labels(line.key) is None
    assert len(caplog.messages) == 1
