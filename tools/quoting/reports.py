"""Committed reports, compared with what results/ give: texts and tables exactly, plots by the numbers they show."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ablations.analysis.plots.digest import read_mark
from ablations.analysis.probe.numbers import GATES, UNITS
from ablations.analysis.probe.page import PROBE_FOLDER, chosen_classes, content_of_probe, write_probe
from ablations.analysis.probe.request import ProbeRequest
from ablations.analysis.probe.request import read_request as read_probe_request
from ablations.analysis.report.content import Content
from ablations.analysis.report.folder import FORMATS
from ablations.analysis.report.request import FILE_NAME as REQUEST
from ablations.analysis.report.request import read_request
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
    request = read_request(folder)
    expected = _expected(request.formats, request.to_json(), library.reported(study).content)
    found = list(_mismatches(folder, f"reports/{study}", *expected))
    if study in library.probed:
        asked, content = _page_of_probe(study, library)
        expected = _expected(asked.formats, asked.to_json(), content)
        found += _mismatches(folder / PROBE_FOLDER, f"reports/{study}/{PROBE_FOLDER}", *expected)
    return found


def make_report(study: str, library: Library) -> None:
    """Write a study's report anew as it was asked for, and remove what is no longer part of it.

    Raises:
        UserError: how the report was asked for, the study or its record cannot be read, or it cannot be written.
        DiskError: the disk is full.
    """
    folder, found = library.reports / study, library.reported(study)
    request = read_request(folder)
    write_report(found.results, library.reports, formats=request.formats, pairs=request.pairs, replace=True)
    texts, pictures = _expected(request.formats, request.to_json(), found.content)
    for name in _files(folder) - {*texts, *pictures}:
        (folder / name).unlink(missing_ok=True)
    if study in library.probed:
        asked, _ = _page_of_probe(study, library)
        probe = library.probe(study).only(asked.rows)
        write_probe(probe, folder / PROBE_FOLDER, classes=asked.classes, formats=asked.formats)


def _page_of_probe(study: str, library: Library) -> tuple[ProbeRequest, Content]:
    """Return how the page of a study's probe was asked for, and what it says."""
    asked = read_probe_request(library.reports / study / PROBE_FOLDER)
    probe = library.probe(study).only(asked.rows)
    return asked, content_of_probe(probe, chosen_classes(probe, asked.classes))


def _expected(
    formats: Sequence[str], request: str, content: Content
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of a report and the marks of its pictures, by file.

    Args:
        formats: of the report.
        request: the file that says how it was asked for.
        content: what it says.
    """
    marks = {plot.key: mark_of(content, plot) for plot in content.plots()}
    suffixes = figure_suffixes(formats)
    pictures = {f"figures/{key}.{suffix}": mark for key, mark in marks.items() for suffix in suffixes}
    images = {key: {"svg": _stand_in(mark)} for key, mark in marks.items()}
    written = report_texts(content, formats, images)
    texts = {FORMATS[name]: _bare(text) for name, text in written.items()}
    texts |= {f"tables/{name}": text for name, text in table_files(content, formats).items()}
    return texts | {REQUEST: request}, pictures


def _mismatches(
    folder: Path, report: str, texts: dict[str, str], pictures: dict[str, str]
) -> Iterator[Mismatch]:
    expected, there = {*texts, *pictures}, _files(folder)
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
    """Return the files of a report or of a probe's page, without those that it is made from.

    The page of a probe inside of a report is no part of it.
    """
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in files - {GATES, UNITS} if not name.startswith(f"{PROBE_FOLDER}/")}


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
