"""Writes the report of a study from its record alone, or of a frame, as Markdown, HTML, LaTeX.

Equal records, equal bytes.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablations.analysis.plots.digest import picture_mark
from ablations.analysis.plots.style import render
from ablations.analysis.report.content import Content, content_of, frame_content
from ablations.analysis.report.folder import FORMATS, clear_report, formats_to_renew, refuse_other_plan
from ablations.analysis.report.pages import Images, render_html, render_latex, render_markdown
from ablations.analysis.report.parts import Plot
from ablations.analysis.report.request import FILE_NAME as REQUEST
from ablations.analysis.report.request import Request
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.tables.latex.several import latex_tables
from ablations.analysis.tables.latex.table import AS_PAPERS, PaperStyle
from ablations.analysis.tables.render import to_csv
from ablations.planning.typed_study import plan_digest, typed
from ablations.running.machine.addresses import shown_address
from ablations.running.machine.durable import is_abandoned, not_written
from senet_core.errors import UserError, unknown
from senet_core.given import list_of

DRAFT = ".draft"  # ends the name of a file that is being written


@dataclass(frozen=True)
class ReportPaths:
    r"""The files that were written.

    Attributes:
        folder: everything is in it.
        markdown: None if it was not asked for.
        html: None if it was not asked for.
        latex: None if it was not asked for.
        figures: each as SVG and PNG, and as PDF for LaTeX.
        tables: as CSV, in twelve digits, and for LaTeX as files to `\input`.
    """

    folder: Path
    markdown: Path | None
    html: Path | None
    latex: Path | None
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]


def write_report(
    results: Results | FrameResults,
    reports_dir: str | Path,
    *,
    formats: Sequence[str] = ("md",),
    tracking: str | None = None,
    pairs: Sequence[str] = (),
    replace: bool = False,
    style: PaperStyle = AS_PAPERS,
) -> ReportPaths:
    """Write the report of a study into REPORTS_DIR/STUDY, or that of a frame from anywhere into REPORTS_DIR.

    Args:
        results: of a study; trials without a result are reported as missing. Or those of `Results.from_frame`, to
            which what follows `formats` does not apply.
        reports_dir: made if it does not exist.
        formats: of FORMATS; figures and tables are always written.
        tracking: address of the MLflow store, for a person to read; a password in it is left out.
        pairs: axes of which all pairs are compared.
        replace: also the report of another plan of the study, such as one with other `overrides`.
        style: of the tables for LaTeX.

    The folder holds one report: formats that it has of the same plan are written anew, too, and what is no longer part
    of the report is removed.

    Raises:
        RecordError: the forecast is damaged.
        UserError: a format or an axis is not known, the folder holds the report of another plan, or it cannot be
            written.
        DiskError: the disk is full.
    """
    for name in list_of("`formats`", formats):
        if name not in FORMATS:
            raise unknown("report format", name, FORMATS)
    list_of("`pairs`", pairs)
    if not isinstance(results, Results | FrameResults):
        raise UserError(
            f"`results` are those of `ab.run`, `ab.load_results` or `ab.Results.from_frame`, got {results!r}"
        )
    if isinstance(results, FrameResults):
        if pairs:
            raise UserError("all pairs of a frame are asked for by Results.from_frame(..., pairs=True)")
        content = frame_content(results)
        return write_content(content, Path(reports_dir), formats, table_files(content, formats, style))
    shown = None if tracking is None else shown_address(tracking)
    study = results.asked.study
    folder = Path(reports_dir) / study.name
    if not replace:
        refuse_other_plan(study, folder)
    content = content_of(results, tracking=shown, pairs=pairs)
    there = formats_to_renew(study, folder)
    asked = tuple(name for name in FORMATS if name in formats or name in there)
    tables = table_files(content, asked, style)
    request = Request(typed(study).words, asked, tuple(pairs), plan_digest(study), tuple(tables))
    return write_content(content, folder, asked, tables, request)


def write_content(
    content: Content,
    folder: Path,
    formats: Sequence[str],
    tables: Mapping[str, str],
    request: Request | None = None,
) -> ReportPaths:
    """Write a report into a folder; arguments as for `write_report`.

    Args:
        content: what to say.
        folder: made if it does not exist.
        formats: of FORMATS.
        tables: files by name, see `table_files`.
        request: how a study's report was asked for; what an older report has left is then removed.

    Raises:
        UserError: the folder cannot be written.
        DiskError: the disk is full.
    """
    images = {
        plot.key: render(plot.figure, figure_suffixes(formats), mark_of(content, plot))
        for plot in content.plots()
    }
    texts = report_texts(content, formats, images)
    try:
        _clear_drafts(folder)
        if request is not None:  # whenever this is cut short, what stands there is of one plan
            names = {f"figures/{key}.{suffix}" for key, made in images.items() for suffix in made}
            names |= {f"tables/{name}" for name in request.tables}
            folder.mkdir(parents=True, exist_ok=True)
            clear_report(folder, names | {REQUEST, *(FORMATS[name] for name in texts)}, request)
            _write(folder / REQUEST, request.to_json())
        figures = _write_figures(folder / "figures", images)
        written_tables = _write_tables(folder / "tables", tables)
        written = {name: _write(folder / FORMATS[name], text) for name, text in texts.items()}
    except OSError as error:
        what = "to" if request is None else "the report to"
        raise not_written(f"{what} {str(folder)!r}", error, chosen=True) from error
    return ReportPaths(
        folder,
        written.get("md"),
        written.get("html"),
        written.get("latex"),
        figures=figures,
        tables=written_tables,
    )


def report_texts(content: Content, formats: Sequence[str], images: Images) -> dict[str, str]:
    """Return a report in some of FORMATS, by name; `images` holds the SVG of each plot, by the plot's key."""
    return {name: _text(content, name, images) for name in FORMATS if name in formats}


def table_files(content: Content, formats: Sequence[str], style: PaperStyle = AS_PAPERS) -> dict[str, str]:
    """Return the files of a report's tables by name."""
    files = {f"{table.key}.csv": to_csv(table) for table in content.tables()}
    if "latex" in formats:
        further = content.further_paper_tables()
        prefix = f"{content.name}-" if content.setup.rows else ""
        made = latex_tables([section.table for section in content.sections], further, style, prefix=prefix)
        files |= {f"{key}.tex": text for key, text in made.items()}
    return files


def figure_suffixes(formats: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of the figures of a report."""
    return ("svg", "png", *(("pdf",) if "latex" in formats else ()))


def mark_of(content: Content, plot: Plot) -> str:
    """Return the mark that a plot's files carry."""
    return picture_mark(content.name, plot.key, plot.data)


def _text(content: Content, name: str, images: Images) -> str:
    if name == "html":
        return render_html(content, images)
    return render_markdown(content) if name == "md" else render_latex(content)


def _write_figures(folder: Path, images: Images) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        folder / f"{key}.{suffix}": image for key, made in images.items() for suffix, image in made.items()
    }
    return tuple(_write(path, image) for path, image in files.items())


def _write_tables(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_write(folder / name, text) for name, text in files.items())


def _write(path: Path, content: str | bytes) -> Path:
    """Write a file whole: a reader sees the old one or the new one, also when two sweeps end at once."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{DRAFT}")
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(draft, path)
    return path


def _clear_drafts(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for draft in folder.rglob(f".*{DRAFT}"):
        if is_abandoned(draft):
            draft.unlink(missing_ok=True)
