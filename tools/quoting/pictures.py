"""Pictures of documents: copies of plots, which carry the mark of what they show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ablations.analysis.plots.digest import plot_of, read_mark
from ablations.analysis.plots.style import render
from ablations.analysis.report.parts import Plot
from ablations.analysis.report.write import mark_of
from ablations.running.machine.durable import not_written
from ablations.running.record.trial_file import FILE_NAME as RECORD
from tools.quoting.mismatch import Mismatch
from tools.quoting.sources import Library

_SUFFIXES = (".png", ".svg")


@dataclass(frozen=True)
class Unconfirmed:
    """A picture that no committed result can confirm.

    Attributes:
        file: path within the clone.
        why: in a few words.
    """

    file: str
    why: str


def pictures_of(folder: Path) -> list[Path]:
    """Return the pictures of a clone's documents: those in docs/."""
    return sorted(path for path in (folder / "docs").rglob("*") if path.suffix in _SUFFIXES)


def check_picture(path: Path, library: Library) -> Mismatch | Unconfirmed | None:
    """Compare what a picture says that it shows with what results/ give; None where they agree.

    Raises:
        UserError: the study or its record cannot be read.
    """
    name, mark = path.relative_to(library.folder).as_posix(), _mark(path)
    shown = plot_of(mark)
    if shown is None:
        return Unconfirmed(name, "it does not say what it shows")
    study, key = shown
    if study not in library.committed:
        return Unconfirmed(name, f"it shows {study}/{key}, and results/{study}/{RECORD} is not committed")
    found = _plot(library, study, key)
    if found is None:
        return Mismatch(name, None, f"{study}/{key}", "no such plot")
    return None if found[1] == mark else Mismatch(name, None, mark, found[1])


def write_picture(path: Path, library: Library) -> None:
    """Draw a picture anew from results/.

    Args:
        path: of a picture that `check_picture` found to differ.
        library: of its clone.

    Raises:
        UserError: it cannot be written.
    """
    shown, suffix = plot_of(_mark(path)), path.suffix[1:]
    found = None if shown is None else _plot(library, *shown)
    if found is None:
        return
    plot, mark = found
    image = render(plot.figure, (suffix,), mark)[suffix]
    try:
        path.write_bytes(image)
    except OSError as error:
        raise not_written(str(path), error, chosen=True) from error


def _mark(path: Path) -> str:
    return read_mark(path.read_bytes(), path.suffix[1:]) or ""


def _plot(library: Library, study: str, key: str) -> tuple[Plot, str] | None:
    """Return a plot with the mark that its pictures must carry."""
    content = library.reported(study).content
    return next(((plot, mark_of(content, plot)) for plot in content.plots() if plot.key == key), None)
