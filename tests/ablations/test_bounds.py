"""Every file that a stranger may have made is read up to a stated bound, and never waited for."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.registry import read_source
from ablations.planning.study_file import load_study
from ablations.planning.yaml_text import MOST_CHARACTERS, read_yaml
from ablations.running.data.archive_limits import LEAST_LIMIT
from ablations.running.data.file_trees import open_file_tree
from ablations.running.data.images import Cropped, Exact
from ablations.running.data.plain_pickle import unpickle
from ablations.running.data.torchvision_sets.idx_files import parse_idx
from ablations.running.record.forecasts import load_forecasts
from ablations.running.record.interim_plans import read_interim_plans
from ablations.running.record.json_lines import cut_off
from ablations.running.record.proposals import read_proposals
from ablations.running.record.trial_file import TrialFile
from senet_core.bounded import read_bounded
from senet_core.errors import UserError
from senet_core.plugins import load_plugin_file

READERS: dict[str, Callable[[Path], object]] = {
    "study.yaml": lambda path: load_study(str(path)),
    "runs.csv": lambda path: read_source(f"csv:{path}", Asked()),
    "plugin.py": load_plugin_file,
    "images.tar": lambda path: open_file_tree(path).names(),
    "images.tar.gz": lambda path: open_file_tree(path).names(),
    "images.tar.xz": lambda path: open_file_tree(path).names(),
    "images.zip": lambda path: open_file_tree(path).names(),
    "1.png": lambda path: list(open_file_tree(path.parent).read({path.name})),
}

RECORDS: dict[str, Callable[[Path], object]] = {
    "trials.jsonl": lambda folder: TrialFile.load(folder / "trials.jsonl"),
    "looks.jsonl": read_interim_plans,
    "proposals.jsonl": read_proposals,
    "forecast.json": lambda folder: load_forecasts(folder / "forecast.json"),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    holder = os.open(tmp_path / name, os.O_RDWR)  # whoever reads it would wait for what is never written
    os.set_blocking(holder, False)
    try:
        with pytest.raises(UserError, match="no plain file"):
            READERS[name](tmp_path / name)
    finally:
        os.close(holder)


@pytest.mark.parametrize("name", ["study.yaml", "runs.csv", "plugin.py", "1.png"])
def test_a_file_of_a_gigabyte_of_holes_is_refused_by_its_size(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    os.truncate(tmp_path / name, 2**30)
    with pytest.raises(UserError, match=r"1,073,741,824 bytes, and at most [\d,]+ are read"):
        READERS[name](tmp_path / name)


def test_what_is_no_file_of_the_disk_is_bounded_too() -> None:
    with pytest.raises(OSError, match="no plain file"):
        read_bounded(Path("/dev/zero"), 10)


def test_a_file_of_just_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert read_bounded(tmp_path / "a", 10) == b"x" * 10
    with pytest.raises(OSError, match="10 bytes, and at most 9 are read"):
        read_bounded(tmp_path / "a", 9)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1" * 3000, "3,000 characters"),
        ("1" * 50_000, "50,000 characters"),
        ("0x" + "f" * 50_000, "50,002 characters"),
        ("0b" + "1" * 50_000, "50,002 characters"),
        ("1" + ":59" * 20_000, "60,001 characters"),
        ("1" + ":59" * 20_000 + ".5", "60,003 characters"),
        ("1" * 1_000 + ": 1", "1,000 characters"),
        ("1e400", "'1e400' is too large"),
        ("-1.5e+999", "is too large"),
        ("#" * (MOST_CHARACTERS + 1), f"at most {MOST_CHARACTERS:,} are read"),
        ("a: " + "[" * 40_000, "recursion"),
    ],
)
def test_a_number_or_text_without_end_is_refused(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read_yaml(text)


def test_infinity_by_its_name_is_left_to_the_field() -> None:
    assert read_yaml(".inf") == float("inf")


@pytest.mark.parametrize("seed", ["9" * 400, "12345678901234567890"])
def test_a_seed_of_many_digits_is_a_name_and_no_number(tmp_path: Path, seed: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"variant,seed,value\na,{seed},1\na,{seed[:-1]}8,2\n")
    assert read_source(str(path), Asked()).frame["seed"].tolist() == [seed, f"{seed[:-1]}8"]


def test_seeds_of_18_digits_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("variant,seed,value\na,123456789012345678,1\na,123456789012345679.0,2\n")
    assert read_source(str(path), Asked()).frame["seed"].tolist() == [123456789012345678, 123456789012345679]


@pytest.mark.parametrize("name", ["bomb.tar.gz", "bomb.tgz"])
def test_an_archive_that_claims_too_much_is_refused_before_it_is_unpacked(tmp_path: Path, name: str) -> None:
    head = tarfile.TarInfo("train/cat/1.png")
    head.size = 2**27
    (tmp_path / name).write_bytes(gzip.compress(head.tobuf()))
    with pytest.raises(UserError, match="unpacks to"):
        list(open_file_tree(tmp_path / name).read({"train/cat/1.png"}))


@pytest.mark.parametrize("size", [2**29, 2**40])
def test_a_member_larger_than_any_file_is_refused(tmp_path: Path, size: int) -> None:
    head = tarfile.TarInfo("train/cat/1.png")
    head.size = size
    (tmp_path / "a.tar").write_bytes(head.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(UserError, match=f"{size:,} bytes, and at most"):
        open_file_tree(tmp_path / "a.tar").names()


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_header_that_claims_gigabytes_takes_none(tmp_path: Path, kind: bytes) -> None:
    head = tarfile.TarInfo("name")
    head.type, head.size = kind, 2**32
    (tmp_path / "a.tar").write_bytes(head.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(UserError, match="a header asks for 4,294,967,296 bytes"):
        open_file_tree(tmp_path / "a.tar").names()


def test_a_file_with_holes_in_an_archive_is_refused(tmp_path: Path) -> None:
    head = tarfile.TarInfo("train/cat/1.png")
    head.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(head.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"00010000000\0"  # the size with its holes, two gigabytes
    block[148:156] = b"        "
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    (tmp_path / "a.tar").write_bytes(bytes(block) + bytes(1024))
    with pytest.raises(UserError, match="holes"):
        open_file_tree(tmp_path / "a.tar").names()


def test_zeros_without_end_behind_the_last_member_are_not_all_unpacked(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        for _ in range(LEAST_LIMIT // 2**20 + 2):
            file.write(bytes(2**20))
    with pytest.raises(UserError, match="unpacks to"):
        open_file_tree(tmp_path / "a.tar.gz").names()


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(LEAST_LIMIT // 2**24 + 1):
            archive.writestr(f"train/cat/{number}.png", bytes(2**24))
    with pytest.raises(UserError, match="unpacks to"):
        open_file_tree(tmp_path / "a.zip").names()


@pytest.mark.parametrize("size", [(2**32 - 1,) * 3, (2**16, 2**16, 2**16), (2**31, 2**31, 4)])
def test_an_idx_file_takes_no_more_than_it_has(size: tuple[int, ...]) -> None:
    head = bytes((0, 0, 8, 3)) + struct.pack(">3I", *size)
    for data in (gzip.compress(head + bytes(100)), head):
        with pytest.raises(UserError, match="cannot read 'a'"):
            parse_idx(data, "a", 3)


def test_an_idx_file_is_not_unpacked_beyond_its_sizes() -> None:
    data = gzip.compress(bytes((0, 0, 8, 1)) + struct.pack(">I", 3) + bytes(2**24), 1)
    with pytest.raises(UserError, match="truncated, or no IDX file"):
        parse_idx(data, "a", 1)


def test_a_pickle_of_millions_of_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablations.running.data.plain_pickle.MOST_PIECES", 1000)
    with pytest.raises(UserError, match="more than 1,000 pieces"):
        unpickle(b"\x80\x02" + b"N0" * 2000 + pickle.dumps({}, 2), "a")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("decode", "width", "height", "why"),
    [
        (Exact(32), 9_000, 9_000, "9000x9000 pixels; 32x32 are needed"),
        (Cropped(256, 224), 9_000, 9_000, "9000x9000 pixels; at most 67,108,864 are read"),
        (Cropped(256, 224), 400_000, 100, "at most 100 times the other"),
    ],
)
def test_an_image_is_refused_by_its_header_before_it_is_decoded(
    decode: Exact | Cropped, width: int, height: int, why: str
) -> None:
    with pytest.raises(UserError, match=why):  # it is truncated, which decoding would find first
        decode(png(width, height), "a.png")


def test_small_archives_still_unpack(tmp_path: Path) -> None:
    data = io.BytesIO(bytes(10_000))
    head = tarfile.TarInfo("train/" + "c" * 300)
    head.size = 10_000
    for name, mode in (("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz")):
        data.seek(0)
        with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
            archive.addfile(head, data)
        ((_, content),) = open_file_tree(tmp_path / name).read({head.name})
        assert content == bytes(10_000)


def test_a_line_without_an_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").touch()
    os.truncate(tmp_path / "trials.jsonl", 2**33)
    with pytest.raises(UserError, match="line 1 is corrupt: it is longer than 16,777,216 bytes"):
        TrialFile.load(tmp_path / "trials.jsonl")


@pytest.mark.parametrize("name", ["looks.jsonl", "proposals.jsonl", "forecast.json"])
def test_a_side_file_of_a_gigabyte_of_holes_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    os.truncate(tmp_path / name, 2**30)
    with pytest.raises(UserError, match="1,073,741,824 bytes, and at most"):
        RECORDS[name](tmp_path)


@pytest.mark.parametrize("name", ["trials.jsonl", "looks.jsonl", "proposals.jsonl", "forecast.json"])
def test_what_a_newer_version_wrote_is_not_called_corrupt(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"schema": 2, "what": "is new"}\n')
    with pytest.raises(
        UserError, match="a newer version wrote it: its schema is 2, this version reads 1"
    ) as caught:
        RECORDS[name](tmp_path)
    assert "remove nothing" in str(caught.value)
    assert "corrupt" not in str(caught.value)
    assert "remove that line" not in str(caught.value)


@pytest.mark.parametrize("tail", [0, 1, 2**16 - 1, 2**16, 2**16 + 1, 200_000])
@pytest.mark.parametrize("head", ["", "a\n", "a\n" * 100_000])
def test_a_line_that_was_cut_off_is_measured_from_the_files_end(tmp_path: Path, head: str, tail: int) -> None:
    (tmp_path / "a").write_text(head + "x" * tail)
    assert cut_off(tmp_path / "a") == tail
