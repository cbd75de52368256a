"""The record keeps what it was given, whatever happens to the process, the file or the disk."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.running.machine.durable import DiskError
from ablations.running.record.imported import Imported
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import (
    EpochMetrics,
    Failure,
    MetricsResult,
    TrialRecord,
    TrialResult,
)
from senet_core.errors import UserError

RESULT = TrialResult(
    top1_error=12.34,
    top5_error=0.1 + 0.2,  # a number that only reads back if every digit is kept
    test_loss=0.41,
    train_loss=0.33,
    train_error=10.2,
    parameters=274_847,
    multiply_adds=41_000_000,
    bottleneck_widths={"2": 1, "3": 2},
    train_seconds=161.2,
    test_seconds=2.1,
    peak_memory_mib=812.0,
    weights_sha256="ab" * 32,
)
LINE = TrialRecord(
    key="0123456789abcdef",
    study="one",
    status="finished",
    trial={"backbone": "resnet20", "data": {"name": "cifar10"}, "seed": 0},
    result=RESULT,
    history=(EpochMetrics(1, 1.9, 71.2, 0.1, 16.0),),
    failure=None,
    environment={"commit": "abc"},
    data_digest="d1",
    data_note="",
    started="2026-01-01T00:00:00+00:00",
    finished="2026-01-01T00:01:00+00:00",
)
FAILED = replace(LINE, status="failed", result=None, failure=Failure("diverged", "the loss is nan", 1))


def test_a_line_reads_back_equal() -> None:
    for line in (LINE, FAILED, replace(LINE, shared_from="two")):
        assert TrialRecord.from_line(line.to_line()) == line


def test_an_imported_line_says_where_its_result_was_recorded_and_an_ordinary_one_says_nothing() -> None:
    imported = Imported("mlflow:rates", "run 0a1b", "cd" * 32, "last", "2026-01-02T00:00:00+00:00")
    trial = {"experiment": {"kind": "command"}, "factors": {"lr": 0.1}, "seed": 0}
    line = replace(
        LINE, trial=trial, result=MetricsResult({"error": 8.5}, None), history=(), imported=imported
    )
    assert TrialRecord.from_line(line.to_line()) == line
    assert "imported" not in LINE.to_line()
    hostile = replace(line, imported=replace(imported, run="run \x1b[31m"))
    [read] = [TrialRecord.from_line(hostile.to_line())]
    assert read.imported is not None
    assert read.imported.run.isprintable()
    with pytest.raises(ValueError, match=r"imported\.digest"):
        TrialRecord.from_line(line.to_line().replace("cd" * 32, "none"))


def test_a_line_with_a_field_of_another_version_is_read() -> None:
    assert TrialRecord.from_line(f'{LINE.to_line()[:-1]},"mlflow_run_id":"r"}}') == LINE


def test_a_trial_trained_anew_has_another_mark_and_a_shared_line_the_same() -> None:
    assert replace(LINE, finished="2026-01-01T00:02:00+00:00").mark != LINE.mark
    assert replace(LINE, result=replace(RESULT, train_seconds=161.3)).mark != LINE.mark  # within one second
    assert replace(LINE, study="two", shared_from="one").mark == LINE.mark
    assert TrialRecord.from_line(LINE.to_line()).mark == LINE.mark


@pytest.mark.parametrize(
    ("written", "edited", "message"),
    [
        ('"top1_error":12.34', '"top1_error":"12.34"', "result.top1_error must be a number, got '12.34'"),
        ('"top1_error":12.34', '"top1_error":NaN', "result.top1_error"),
        ('"top1_error":12.34', '"top1_error":1234', "result.top1_error must be at most 100, got 1234"),
        ('"test_loss":0.41', '"test_loss":1e999', "result.test_loss must be a finite number"),
        ('"parameters":274847', '"parameters":274847.5', "result.parameters must be a whole number"),
        ('"history":[{', '"history":["",{', "history.0 must be a mapping of fields, got ''"),
        ('"environment":{"commit":"abc"}', '"environment":"abc"', "environment must be a mapping of fields"),
        ('"data":{"name":"cifar10"}', '"data":"cifar10"', "its trial does not name its data"),
        ('"seed":0', '"sead":0', "its trial has no seed"),
        ('"started":"2026-01-01T00:00:00+00:00"', '"started":null', "started must be text, got None"),
        (
            '"status":"finished"',
            '"status":"done"',
            "status must be 'finished', 'failed' or 'pruned', got 'done'",
        ),
        ('"status":"finished"', '"status":"failed"', "its status 'failed' and its result do not belong"),
    ],
)
def test_a_line_that_somebody_edited_is_refused_with_its_field(
    tmp_path: Path, written: str, edited: str, message: str
) -> None:
    path = tmp_path / "trials.jsonl"
    assert written in LINE.to_line()
    path.write_text(f"{LINE.to_line()}\n{LINE.to_line().replace(written, edited)}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"line 2 is corrupt: ") as error:
        TrialFile.load(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_appended_is_loaded(tmp_path: Path) -> None:
    record = TrialFile.load(tmp_path / "study" / "trials.jsonl")
    record.append(LINE)
    record.append(FAILED, LINE)
    assert TrialFile.load(record.path).lines == [LINE, FAILED, LINE] == record.lines


def test_a_trial_that_another_sweep_finished_meanwhile_is_not_recorded_again(tmp_path: Path) -> None:
    mine, theirs = (TrialFile.load(tmp_path / "trials.jsonl") for _ in range(2))
    other = replace(LINE, key="another")
    theirs.append(FAILED, LINE)
    assert mine.append(FAILED, LINE, other, unless_finished=True) == [other]
    assert TrialFile.load(mine.path).lines == [FAILED, LINE, other] == mine.lines


def test_a_later_finish_supersedes_a_failure_and_not_the_other_way(tmp_path: Path) -> None:
    record = TrialFile(tmp_path / "r.jsonl", [FAILED])
    assert record.failed == {LINE.key: FAILED}
    assert record.finished == {}
    for lines in ([FAILED, LINE], [LINE, FAILED]):
        record = TrialFile(tmp_path / "r.jsonl", lines)
        assert record.finished == {LINE.key: LINE}
        assert record.failed == {}


def test_every_truncation_loses_the_torn_line_only(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    TrialFile(path).append(LINE, FAILED)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        record = TrialFile.load(path)
        whole = [LINE, FAILED][: (size >= first) + (size == len(content))]
        assert record.lines == whole
        aside = record.set_torn_aside()
        assert (aside is None) == (size in (0, first, len(content)))
        record.append(LINE)
        assert TrialFile.load(path).lines == [*whole, LINE]
        if aside is not None:
            aside.unlink()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("not json", "Expecting value"),
        ("[1]", "not a JSON object"),
        ('{"schema": "99"}', "its schema is '99', this version reads 1"),
        ('{"schema": 1}', "key is missing"),
        (LINE.to_line().replace('"finished","trial"', '"done","trial"'), "got 'done'"),
        (FAILED.to_line().replace('"failed"', '"finished"'), "do not belong together"),
        (LINE.to_line().replace('"top1_error"', '"top_one"'), "result.top1_error is missing"),
        ("[" * 100_000, "recursion"),
        ("\N{SNOWMAN}", "Expecting value"),
    ],
)
def test_a_corrupt_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(f"{LINE.to_line()}\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"trials\.jsonl, line 2 is corrupt") as caught:
        TrialFile.load(path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the record .*Is a directory"):
        TrialFile.load(tmp_path)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = TrialFile(tmp_path / "trials.jsonl")
    record.append(LINE)
    before = record.path.read_bytes()
    real, calls = os.write, []

    def full(descriptor: int, content: bytes) -> int:
        calls.append(len(content))
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content[:10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(
        DiskError, match=r"cannot write the record .*No space left on device; nothing recorded is"
    ):
        record.append(FAILED)
    assert record.path.read_bytes() == before
    assert record.lines == [LINE]


def test_a_trial_is_shared_only_on_the_same_data(tmp_path: Path) -> None:
    TrialFile(tmp_path / "two" / "trials.jsonl").append(LINE)
    TrialFile(tmp_path / "bad" / "trials.jsonl").append(FAILED)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trials.jsonl").write_text("nonsense\n")
    [shared] = OtherStudies(tmp_path, "one", {"d1"}).finished([LINE.key, "other"])
    assert shared == replace(LINE, study="one", shared_from="two")
    assert OtherStudies(tmp_path, "one", {"other data"}).finished([LINE.key]) == []
    assert (
        OtherStudies(tmp_path, "two", {"d1"}).finished([LINE.key]) == []
    )  # its own record is not another study's


def test_what_is_finished_follows_the_lines(tmp_path: Path) -> None:
    record = TrialFile(tmp_path / "trials.jsonl")
    assert record.finished == {}
    first, second = replace(LINE, key="a"), replace(LINE, key="b")
    record.append(first)
    assert set(record.finished) == {"a"}
    record.append(second)
    assert set(record.finished) == {"a", "b"}
    other = TrialFile.load(record.path)
    other.append(replace(LINE, key="c"))
    record.refresh()
    assert set(record.finished) == {"a", "b", "c"}
    record.lines = [first]
    assert record.finished == {"a": first}


@pytest.mark.parametrize(
    "text", ["no file 'a\udcff.png'", "\x1b]0;owned\x07 gone", "a\u202eb", "zero\x00byte", "日本 é"]
)
def test_foreign_text_is_written_so_that_it_is_read(tmp_path: Path, text: str) -> None:
    line = replace(FAILED, failure=Failure("error", text, 1), environment={"host": text}, data_note=text)
    record = TrialFile.load(tmp_path / "trials.jsonl")
    [written] = record.append(line)
    [read] = TrialFile.load(tmp_path / "trials.jsonl").lines
    assert read == written
    assert read.mark == written.mark
    assert read.failure is not None
    assert read.failure.message.isprintable()
    assert read.failure.message == text or "\\" in read.failure.message


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    record = TrialFile.load(tmp_path / "trials.jsonl")
    record.append(LINE)
    with pytest.raises(ValueError, match="does not name its data"):
        record.append(replace(LINE, trial={"seed": 0}))
    assert TrialFile.load(tmp_path / "trials.jsonl").lines == [LINE]


def test_only_what_was_added_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (TrialFile.load(tmp_path / "trials.jsonl") for _ in range(2))
    for number in range(50):
        one.append(replace(LINE, key=f"{number:016x}"))
    read: list[str] = []
    from_line = TrialRecord.from_line
    monkeypatch.setattr(TrialRecord, "from_line", lambda line: read.append(line) or from_line(line))
    other.refresh()
    assert len(read) == 50
    one.append(replace(LINE, key="f" * 16))
    read.clear()
    other.refresh()
    assert len(read) == 1
    assert len(other.finished) == 51
    other.refresh()
    assert len(read) == 1


def test_a_record_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    record = TrialFile.load(tmp_path / "trials.jsonl")
    record.append(LINE)
    (tmp_path / "new").write_text("".join(f"{replace(LINE, key=k * 16).to_line()}\n" for k in "abc"))
    (tmp_path / "new").rename(tmp_path / "trials.jsonl")
    record.refresh()
    assert [line.key[0] for line in record.lines] == ["a", "b", "c"]
    (tmp_path / "trials.jsonl").unlink()
    record.refresh()
    assert record.lines == []
