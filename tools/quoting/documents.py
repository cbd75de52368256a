"""Documents: what stands between their marks, compared with results/ or written anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ablations.running.machine.durable import not_written
from senet_core.errors import UserError
from tools.quoting.answers import answer
from tools.quoting.marks import Mark, find_marks, held, replace_marked
from tools.quoting.mismatch import Mismatch, line_mismatches
from tools.quoting.sources import Library


def documents_of(folder: Path) -> list[Path]:
    """Return the documents of a clone: its README and what is in docs/."""
    readme = folder / "README.md"
    return [*([readme] if readme.exists() else []), *sorted((folder / "docs").rglob("*.md"))]


def check_document(path: Path, name: str, library: Library) -> list[Mismatch]:
    """Compare what stands between a document's marks with what results/ give.

    Args:
        path: the document.
        name: of it, for people.
        library: whom its marks may ask.

    Raises:
        UserError: the document cannot be read, or a mark is wrong or asks for what is not there.
    """
    text = _read(path)
    found: list[Mismatch] = []
    for mark in find_marks(text, name):
        was, now = text[mark.start : mark.end], held(text, mark, _answer(name, mark, library))
        found += line_mismatches(name, was, now, first=mark.line)
    return found


def write_document(path: Path, name: str, library: Library) -> bool:
    """Write what results/ give between a document's marks; returns whether that changed the document.

    Raises:
        UserError: the document cannot be read or written, or a mark is wrong or asks for what is not there.
    """
    text = _read(path)
    written = replace_marked(text, find_marks(text, name), lambda mark: _answer(name, mark, library))
    if written == text:
        return False
    try:
        path.write_bytes(written.encode())
    except OSError as error:
        raise not_written(str(path), error, chosen=True) from error
    return True


def marked(paths: Iterable[Path]) -> int:
    """Count the marks of some documents."""
    return sum(len(find_marks(_read(path), path.name)) for path in paths)


def _answer(name: str, mark: Mark, library: Library) -> str:
    try:
        found = answer(library.source(mark.source), mark.what, block=mark.block)
        if "<!--" in found:
            raise UserError(f"the answer holds a comment, which would end the mark: {found[:60]!r}")
    except UserError as error:
        raise UserError(f"{name}:{mark.line}: {error}") from error
    return found


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{str(path)!r} is not a text file in UTF-8") from error
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
