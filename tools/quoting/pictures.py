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
from tools.quoting.difference import Difference
from tools.quoting.sources import Library

_SUFFIXES = (".png", ".svg")


@dataclass(frozen=True)
class Unknown:
    """A picture that no committed result can confirm.

    Attributes:
        file: path within the clone.
        why: in a few words.
    """

    file: str
    why: str


def pictures_of(folder: Path) -> list[Path]:
    """Give the pictures of a clone's documents: those in docs/."""
    return sorted(path for path in (folder / "docs").rglob("*") if path.suffix in _SUFFIXES)


def check_picture(path: Path, library: Library) -> Difference | Unknown | None:
    """Compare what a picture says that it shows with what results/ give; None where they agree.

    Raises:
        UserError: the study or its record cannot be read.
    """
    name = path.relative_to(library.folder).as_posix()
    mark = read_mark(path.read_bytes(), path.suffix[1:]) or ""
    named = plot_of(mark)
    if named is None:
        return Unknown(name, "it does not say what it shows")
    study, key = named
    if study not in library.committed:
        return Unknown(name, f"it shows {study}/{key}, and results/{study}/{RECORD} is not committed")
    plot = _plot(library, study, key)
    if plot is None:
        return Difference(name, None, f"{study}/{key}", "no such plot")
    now = mark_of(library.reported(study).content, plot)
    return None if now == mark else Difference(name, None, mark, now)


def write_picture(path: Path, library: Library) -> None:
    """Draw a picture anew from results/.

    Args:
        path: of a picture that `check_picture` found to differ.
        library: of its clone.

    Raises:
        UserError: it cannot be written.
    """
    suffix = path.suffix[1:]
    named = plot_of(read_mark(path.read_bytes(), suffix) or "")
    plot = None if named is None else _plot(library, *named)
    if named is None or plot is None:
        return
    image = render(plot.figure, (suffix,), mark_of(library.reported(named[0]).content, plot))[suffix]
    try:
        path.write_bytes(image)
    except OSError as error:
        raise not_written(str(path), error, chosen=True) from error


def _plot(library: Library, study: str, key: str) -> Plot | None:
    return next((plot for plot in library.reported(study).content.plots() if plot.key == key), None)
