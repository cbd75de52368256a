"""What lies beside a record is a plain file of our size; what is none is neither waited for nor read without end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablations.errors import RecordError
from ablations.running.doctor.records import check_record
from ablations.running.machine.holder import Holder
from ablations.running.record.json_lines import cut_off
from ablations.running.record.leases import Leases, holder_in, names
from ablations.running.record.study_paths import StudyPaths
from ablations.running.search.storage import folder_name
from ablations.running.training.checkpoint import read_checkpoint
from ablations.running.trials.progress import Progress

Make = Callable[[Path], None]


@pytest.fixture(params=["pipe", "holes", "folder"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Put something into a file's place: a pipe whose reader would wait for ever, a terabyte of holes, a folder."""
    held: list[int] = []

    def made(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if request.param == "pipe":
            os.mkfifo(path)
            held.append(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        elif request.param == "holes":
            path.touch()
            os.truncate(path, 2**40)
        else:
            path.mkdir()

    yield made
    for descriptor in held:
        os.close(descriptor)


def test_a_lease_is_nobodys(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "a.json")
    assert holder_in(tmp_path / "a.json") is None
    assert not names(tmp_path / "a.json", Holder.this_process().token)
    assert not Leases(tmp_path).take("a")


def test_a_lease_that_something_took_the_place_of_is_lost(tmp_path: Path, make: Make) -> None:
    leases = Leases(tmp_path)
    assert leases.take("a")
    (tmp_path / "a.json").unlink()
    make(tmp_path / "a.json")
    leases.release("a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_progress_is_passed_over(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "a.jsonl")
    assert Progress(tmp_path / "a.jsonl").read() == []


def test_a_name_in_a_shared_storage_is_refused(tmp_path: Path, make: Make) -> None:
    make(tmp_path / ".storage-name")
    with pytest.raises(RecordError, match="remove it, and another is made"):
        folder_name(tmp_path)


@pytest.mark.parametrize("name", [b"", b"x" * 1000, b"\xff", b"../../..", b"ABCDEF01", b"0123456"])
def test_a_name_in_a_shared_storage_that_we_did_not_write_is_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / ".storage-name").write_bytes(name)
    with pytest.raises(
        RecordError, match=r"cannot read the folder's name .*; remove it, and another is made"
    ):
        folder_name(tmp_path)


def test_a_name_in_a_shared_storage_stays(tmp_path: Path) -> None:
    assert folder_name(tmp_path / "s") == folder_name(tmp_path / "s")


def test_a_checkpoint_is_none(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "1.pt")
    with pytest.raises(ValueError, match=r"no plain file|at most 34,359,738,368 are read|directory"):
        read_checkpoint(tmp_path / "1.pt")


def test_the_doctor_says_so_of_a_record(tmp_path: Path, make: Make) -> None:
    paths = StudyPaths("s", tmp_path, tmp_path)
    make(paths.record)
    found = " ".join(map(str, check_record(paths, {}, fix=False)))
    assert any(said in found for said in ("no plain file", "longer than 16,777,216 bytes", "irectory"))


def test_a_cut_off_line_is_looked_for_in_a_file_of_our_size_only(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "looks.jsonl")
    assert cut_off(tmp_path / "looks.jsonl") == 0
