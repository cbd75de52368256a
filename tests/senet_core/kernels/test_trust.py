"""What a stranger, a full disk or a killed process leaves in the cache of compiled kernels."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from senet_core.kernels import compiled

SOURCE = 'extern "C" void nothing() {}\n'
PLANTED = """#include <cstdio>
__attribute__((constructor)) void planted() { fclose(fopen("MARK", "w")); }
extern "C" void nothing() {}
"""

pytestmark = pytest.mark.skipif(bool(compiled.why_none(compiled.find_compiler)), reason="no compiler")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("ABLATE_CACHE_DIR", str(folder))
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "tiny.cpp"
    made.write_text(SOURCE)
    return made


def load(source: Path) -> ctypes.CDLL:
    return compiled.load(source, {"nothing": ""})


def place(source: Path, cache: Path) -> Path:
    """Return where the library of a source is kept."""
    return cache / f"{source.stem}-{compiled._key(source, compiled.find_compiler())}.so"


def plant(path: Path, mark: Path) -> None:
    """Put a library there that leaves a mark in whatever loads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = path.parent / "planted.cpp"
    code.write_text(PLANTED.replace("MARK", str(mark)))
    subprocess.run([*compiled.find_compiler(), "-shared", "-fPIC", str(code), "-o", str(path)], check=True)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_nothing_is_loaded_from_a_folder_that_others_can_write_to(source, cache, tmp_path, caplog, mode):
    plant(place(source, cache), tmp_path / "mark")
    cache.chmod(mode)
    load(source).nothing()
    assert not (tmp_path / "mark").exists()
    assert len(caplog.records) == 1
    assert "can be written to by other users" in caplog.text


def test_a_folder_below_one_that_others_can_write_to_is_no_safer(source, tmp_path, monkeypatch, caplog):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    cache = tmp_path / "open" / "cache"
    monkeypatch.setenv("ABLATE_CACHE_DIR", str(cache))
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    plant(place(source, cache), tmp_path / "mark")
    load(source).nothing()
    assert not (tmp_path / "mark").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_nothing_is_loaded_from_the_folder_of_another_user(source, cache, tmp_path, caplog):
    plant(place(source, cache), tmp_path / "mark")
    os.chown(cache, 65534, 65534)
    load(source).nothing()
    assert not (tmp_path / "mark").exists()
    assert "belongs to another user (number 65534)" in caplog.text


def test_a_planted_library_that_nobody_noted_is_compiled_anew(source, cache, tmp_path):
    plant(place(source, cache), tmp_path / "mark")
    load(source).nothing()
    assert not (tmp_path / "mark").exists()


def test_a_library_that_was_cut_off_costs_a_compilation_not_the_process(source, cache):
    script = (
        "import sys; from pathlib import Path; from senet_core.kernels import compiled;"
        "compiled.load(Path(sys.argv[1]), {'nothing': ''}).nothing()"
    )
    command = [sys.executable, "-c", script, str(source)]
    subprocess.run(command, check=True, env={**os.environ, "ABLATE_CACHE_DIR": str(cache)})
    library = place(source, cache)
    whole = library.read_bytes()
    library.write_bytes(whole[: len(whole) // 3])
    subprocess.run(command, check=True, env={**os.environ, "ABLATE_CACHE_DIR": str(cache)})
    assert library.stat().st_size == len(whole)


@pytest.mark.parametrize("in_place", ["pipe", "link", "empty", "text"])
def test_what_is_no_library_is_replaced(source, cache, tmp_path, in_place):
    cache.mkdir(mode=0o700)
    library = place(source, cache)
    if in_place == "pipe":
        os.mkfifo(library)
    elif in_place == "link":
        library.symlink_to(tmp_path / "nowhere")
    else:
        library.write_text("" if in_place == "empty" else "no library")
    load(source).nothing()
    assert library.is_file()
    assert not library.is_symlink()


@pytest.mark.parametrize("note", [b"", b"{", b"[[", b'{"sha256": 1}', b"\xff"])
def test_a_damaged_note_costs_a_compilation(source, cache, note):
    load(source)
    library = place(source, cache)
    library.with_suffix(".json").write_bytes(note)
    load(source).nothing()
    assert library.name.encode() in library.with_suffix(".json").read_bytes()


def test_a_folder_in_place_of_the_library_is_named(source, cache):
    place(source, cache).mkdir(parents=True, mode=0o700)
    cache.chmod(0o700)
    with pytest.raises(compiled.CannotCompile, match=r"\.so is a folder; remove it"):
        load(source)


def test_a_library_whose_loading_crashes_is_not_loaded_here(source, cache):
    source.write_text("#include <cstdlib>\n__attribute__((constructor)) void crash() { abort(); }\n" + SOURCE)
    with pytest.raises(compiled.CannotCompile, match=r"cannot be loaded: a process .* ended by signal 6"):
        load(source)


def test_drafts_of_killed_compilers_are_cleared_and_those_of_others_stay(source, cache):
    library = place(source, cache)
    dead, other = cache / f"{library.stem}.draft-1", cache / "other-1.draft-1"
    for folder in (dead, other):
        folder.mkdir(parents=True)
    cache.chmod(0o700)
    load(source)
    assert not dead.exists()
    assert other.exists()


def test_a_noted_library_is_loaded_without_a_process(source, cache, monkeypatch):
    load(source)
    monkeypatch.setattr("senet_core.kernels.trust.subprocess.run", None)
    load(source).nothing()
