"""Committed reports, compared with what results/ give: texts and tables exactly, plots by the numbers they show."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from ablations.analysis.plots.digest import read_mark
from ablations.analysis.probe.page import PROBE_FOLDER
from ablations.analysis.report.content import Content
from ablations.analysis.report.folder import FORMATS
from ablations.analysis.report.request import FILE_NAME as REQUEST
from ablations.analysis.report.request import Request, read_request
from ablations.analysis.report.write import (
    DRAFT,
    figure_suffixes,
    mark_of,
    report_texts,
    table_files,
    write_report,
)
from tools.quoting.clone import tracked_files
from tools.quoting.mismatch import Mismatch, line_mismatches
from tools.quoting.sources import Library

_UNMARKED = "a picture without a mark"
_EMBEDDED = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)")


def committed_reports(folder: Path) -> list[str]:
    """Return the studies whose report is part of a clone: in git, and where there is no git all that are there.

    Raises:
        UserError: git cannot read the clone.
    """
    tracked = tracked_files(folder)
    return sorted({file.split("/")[1] for file in tracked if re.fullmatch(r"reports/[^/]+/.+", file)})


def check_report(study: str, library: Library) -> list[Mismatch]:
    """Make a study's report again and compare; nothing is drawn.

    Args:
        study: its name.
        library: of the clone that holds report and record.

    Raises:
        UserError: how the report was asked for, the study or its record cannot be read.
    """
    folder = library.reports / study
    texts, pictures = _expected(read_request(folder), library.reported(study).content)
    return list(_mismatches(folder, texts, pictures))


def make_report(study: str, library: Library) -> None:
    """Write a study's report anew as it was asked for, and remove what is no longer part of it.

    Raises:
        UserError: how the report was asked for, the study or its record cannot be read, or it cannot be written.
        DiskError: the disk is full.
    """
    folder, found = library.reports / study, library.reported(study)
    request = read_request(folder)
    write_report(found.results, library.reports, formats=request.formats, pairs=request.pairs, replace=True)
    texts, pictures = _expected(request, found.content)
    for name in _files(folder) - {*texts, *pictures}:
        (folder / name).unlink(missing_ok=True)


def _expected(request: Request, content: Content) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of a report and the marks of its pictures, by file."""
    marks = {plot.key: mark_of(content, plot) for plot in content.plots()}
    suffixes = figure_suffixes(request.formats)
    pictures = {f"figures/{key}.{suffix}": mark for key, mark in marks.items() for suffix in suffixes}
    images = {key: {"svg": _stand_in(mark)} for key, mark in marks.items()}
    written = report_texts(content, request.formats, images)
    texts = {FORMATS[name]: _bare(text) for name, text in written.items()}
    texts |= {f"tables/{name}": text for name, text in table_files(content, request.formats).items()}
    return texts | {REQUEST: request.to_json()}, pictures


def _mismatches(folder: Path, texts: dict[str, str], pictures: dict[str, str]) -> Iterator[Mismatch]:
    report, expected, there = f"reports/{folder.name}", {*texts, *pictures}, _files(folder)
    for name in sorted(expected - there):
        yield Mismatch(f"{report}/{name}", None, "", "a file")
    for name in sorted(there - expected):
        if not name.endswith(DRAFT):
            yield Mismatch(f"{report}/{name}", None, "a file", "")
    for name, text in texts.items():
        if name in there:
            committed = (folder / name).read_bytes().decode("utf-8", "replace")
            yield from line_mismatches(f"{report}/{name}", _bare(committed), text)
    for name, mark in pictures.items():
        shown = read_mark((folder / name).read_bytes(), Path(name).suffix[1:]) if name in there else mark
        if shown != mark:
            yield Mismatch(f"{report}/{name}", None, shown or _UNMARKED, mark)


def _files(folder: Path) -> set[str]:
    """Return the files of a report; the page of a probe inside of it is no part of it."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if not name.startswith(f"{PROBE_FOLDER}/")}


def _stand_in(mark: str) -> bytes:
    """Return a picture that shows nothing and carries a mark."""
    return f"<dc:description>{mark}</dc:description>".encode()


def _bare(text: str) -> str:
    """Put its mark in place of each picture that a text holds."""

    def mark(found: re.Match[str]) -> str:
        try:
            return read_mark(base64.b64decode(found[1]), "svg") or _UNMARKED
        except ValueError:
            return "a picture that cannot be read"

    return _EMBEDDED.sub(mark, text)
