"""The compiler is called as the variable CXX says, and understood whatever it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senet_core.kernels import compiled

SOURCE = 'extern "C" void twice(double* x, long n) { for (long i = 0; i < n; ++i) x[i] *= FACTOR; }\n'
pytestmark = pytest.mark.skipif(bool(compiled.why_none(compiled.find_compiler)), reason="no compiler")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABLATE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    path = tmp_path / "twice.cpp"
    path.write_text(SOURCE)
    return path


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_program_before_the_compiler_and_flags_after_it(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = program(tmp_path, "some ccache", 'exec "$@"')
    names = []
    for factor in (2, 3):
        monkeypatch.setenv("CXX", f"'{cache}' {shutil.which('c++')} -DFACTOR={factor}")
        library = compiled.load(source, {"twice": "pl"})
        names.append(library._name)
    assert names[0] != names[1]  # other flags are another library


@pytest.mark.parametrize("named", ["", "no-such-compiler -O2", "'unclosed", "   "])
def test_without_a_usable_name_the_usual_compilers_are_looked_for(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("CXX", named)
    assert Path(compiled.find_compiler()[0]).name in {"g++", "clang++", "c++"}


def test_messages_in_another_encoding_and_language_are_one_line(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = 'case "$*" in *--version*) echo 1; exit 0;; esac'
    failure = r"""printf 'twice.cpp: error: \351t\351 %s\n' "$LC_ALL" >&2; exit 1"""
    said = f"{version}\n{failure}"
    monkeypatch.setenv("CXX", str(program(tmp_path, "cc", said)))
    with pytest.raises(
        compiled.CannotCompile, match=r"cc cannot compile twice.cpp: twice.cpp: error: .t. C$"
    ):
        compiled.load(source, {"twice": "pl"})
