"""Nobody else decides what a node of Ray trains on: names in the folder of temporary files may be anybody's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small import DATA

from ablations.errors import DataError
from ablations.running.data import Prepared, ensure_prepared, load
from ablations.running.executors import ray_data
from ablations.running.executors.ray_data import DataFile
from senet_core.errors import UserError
from senet_core.kernels import compiled

ray = pytest.importorskip("ray")


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(ray_data, "_held", {})
    monkeypatch.setattr(ray, "get", lambda content: content)
    return ensure_prepared(DATA, tmp_path / "data")


@pytest.fixture
def data(prepared: Prepared) -> DataFile:
    return DataFile(prepared.path.name, prepared.digest, prepared.path.read_bytes())


@pytest.fixture
def base(prepared: Prepared, tmp_path: Path) -> Path:
    return tmp_path / "tmp" / f"senet-ablations-data-{os.getuid()}"


def test_the_copy_is_this_users_alone(data: DataFile, base: Path) -> None:
    folder = data.local()
    assert load(folder / data.name).digest == data.digest
    assert [path.stat().st_mode & 0o777 for path in (base, folder)] == [0o700, 0o700]


def test_a_planted_link_to_a_folder_is_refused(data: DataFile, base: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    base.symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match=r"cannot be trusted with data: it is a link; .*TMPDIR"):
        data.local()
    assert not list((tmp_path / "theirs").iterdir())


def test_a_folder_that_others_can_write_to_is_refused(data: DataFile, base: Path) -> None:
    base.mkdir()
    base.chmod(0o777)
    with pytest.raises(UserError, match=r"others can write to it \(mode 777\)"):
        data.local()


def test_a_folder_of_another_user_is_refused(
    data: DataFile, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.mkdir(mode=0o700)
    owner, known = base.stat().st_uid, base
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    known.rename(known.with_name(f"senet-ablations-data-{owner + 1}"))
    with pytest.raises(UserError, match=f"it belongs to user {owner}"):
        data.local()


def test_a_file_in_the_place_of_the_folder_is_refused(data: DataFile, base: Path) -> None:
    base.touch()
    with pytest.raises(UserError, match="it is no folder"):
        data.local()


def test_a_planted_link_to_a_file_is_not_followed(data: DataFile, base: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (base / data.digest).mkdir(mode=0o700, parents=True)
    base.chmod(0o700)
    (base / data.digest / data.name).symlink_to(tmp_path / "precious")
    copy = data.local() / data.name
    assert not copy.is_symlink()
    assert load(copy).digest == data.digest
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_planted_file_is_not_taken(data: DataFile, base: Path) -> None:
    (base / data.digest).mkdir(mode=0o700, parents=True)
    base.chmod(0o700)
    content = bytearray(data.content)
    content[-1] ^= 1
    (base / data.digest / data.name).write_bytes(content)
    assert (data.local() / data.name).read_bytes() == data.content


def test_other_data_than_were_promised_are_refused(data: DataFile) -> None:
    other = DataFile(data.name, "0" * 64, data.content)
    with pytest.raises(DataError, match=r"are not those of the sweep \(digest 000000000000\)"):
        other.local()


def test_copies_of_dead_runs_are_removed_and_those_in_use_stay(data: DataFile, base: Path) -> None:
    dead, used = base / ("d" * 64), base / ("e" * 64)
    for folder in (base, dead, used, base / data.digest):
        folder.mkdir(mode=0o700)
    (dead / data.name).touch()
    partial = base / data.digest / f".{data.name}.0.partial"
    partial.touch()
    hold = (
        "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_SH);"
        " print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(used)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        data.local()
        assert sorted(path.name for path in base.iterdir()) == sorted([used.name, data.digest])
        assert not partial.exists()


def test_compiled_kernels_that_are_kept_in_the_same_folder_stay(data: DataFile, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)  # so that kernels are kept elsewhere
    library = compiled._own_folder(shared) / "fused.so"
    library.touch()
    data.local()
    assert library.exists()
