"""The cache of compiled kernels: the library, and the digest that is noted beside it."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from pathlib import Path

from senet_core.kernels import compiled, trust

SOURCE = 'extern "C" void twice(double* x) { *x *= 2; }\n'
LOAD_EVERY = 20  # to compile takes ten times as long as all else


def library(here: Path) -> Sequence[bytes]:
    """Return a library and its note, of which an input is one that was changed."""
    logging.getLogger("senet_core").disabled = True
    (here / "twice.cpp").write_text(SOURCE, encoding="utf-8")
    _check(here)
    made = _library()
    (here / "library").write_bytes(made.read_bytes())
    (here / "note").write_bytes(made.with_suffix(".json").read_bytes())
    return [(here / "library").read_bytes(), (here / "note").read_bytes()]


def read_library(here: Path, data: bytes, number: int) -> None:
    """Put one of the two into the cache: it is trusted only where it is what it was, and compiled anew otherwise."""
    made, is_library = _library(), b"ELF" in data[:100]
    contents = (here / "library").read_bytes(), (here / "note").read_bytes()
    changed = (data, contents[1]) if is_library else (contents[0], data)
    for path, content in zip((made, made.with_suffix(".json")), changed, strict=True):
        path.unlink(missing_ok=True)  # this process has loaded the old one, whose bytes must stay
        path.write_bytes(content)
        path.chmod(0o700)
    noted = trust.is_noted(made)
    assert changed[0] == contents[0] or not noted, "a changed library is trusted"
    if number % LOAD_EVERY == 0:
        _check(here)
    elif is_library:
        assert len(trust.note(made).splitlines()) <= 1  # loaded in a child, whatever becomes of that


def _check(here: Path) -> None:
    value = ctypes.c_double(21)
    compiled.load(here / "twice.cpp", {"twice": "p"}).twice(ctypes.byref(value))
    assert value.value == 42


def _library() -> Path:
    [made] = compiled.cache_folder().glob("twice-*.so")
    return made
