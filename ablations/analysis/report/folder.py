"""The folder of a study's report: it holds the report of one plan, and nothing of another."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ablations.analysis.plots.digest import plot_of, read_mark
from ablations.analysis.report.request import FILE_NAME as REQUEST
from ablations.analysis.report.request import Request, read_request
from ablations.errors import RecordError
from ablations.planning.study import Study
from ablations.planning.typed_study import typed
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError

FORMATS = {"md": "report.md", "html": "report.html", "latex": "report.tex"}
"""Formats by name, with the file that each writes."""

_PICTURES = ("svg", "png", "pdf")
_MOST_PICTURE = 64 * MIB
_TABLES = ("csv", "tex")


def refuse_other_plan(study: Study, folder: Path) -> None:
    """Refuse to replace the report of another plan.

    Args:
        study: as it is planned now.
        folder: of its report; it need not exist.

    Raises:
        UserError: a report of another plan is there, or one that does not say of which it is.
    """
    if not _formats_there(folder):
        return
    mend = "`replace=True` replaces it, `reports_dir` names another place"
    try:
        request = read_request(folder)
    except RecordError as error:
        raise UserError(
            f"{folder} has a report that does not say of which plan it is ({error}); {mend}"
        ) from error
    if not request.is_of(study):
        here, now = str(request.asked), str(typed(study))
        other = f"the report of another plan, {here}, and this is {now}"
        if here == now:
            other = f"the report of {here} as its file was before it was changed"
        raise UserError(f"{folder} has {other}; {mend}")


def formats_to_renew(study: Study, folder: Path) -> tuple[str, ...]:
    """Return the formats in which a report of the same plan is there."""
    with suppress(RecordError):
        request = read_request(folder)
        if request.is_of(study):
            return tuple(name for name in _formats_there(folder) if name in request.formats)
    return ()


def clear_report(folder: Path, kept: Collection[str], request: Request) -> None:
    """Remove what an older report has left in a folder and the new one does not have.

    Args:
        folder: of the report.
        kept: files that the new report has; they are written over, or removed, too, where they are of another plan.
        request: of the new report.

    Raises:
        OSError: a file cannot be removed.
    """
    before = None
    with suppress(RecordError):
        before = read_request(folder)
    same = before is not None and before.plan == request.plan
    for name in sorted(_own_files(folder, () if before is None else before.tables)):
        if not same or name not in kept:
            (folder / name).unlink(missing_ok=True)


def _formats_there(folder: Path) -> tuple[str, ...]:
    return tuple(name for name, file in FORMATS.items() if (folder / file).is_file())


def _own_files(folder: Path, tables: Collection[str]) -> set[str]:
    """Return the files in a folder that reports have written, for others may lie there: pictures by their marks."""
    found = {name for name in (*FORMATS.values(), REQUEST) if (folder / name).is_file()}
    written = (path for suffix in _TABLES for path in (folder / "tables").glob(f"*.{suffix}"))
    found |= {f"tables/{path.name}" for path in written if path.name in tables}
    pictures = (path for suffix in _PICTURES for path in (folder / "figures").glob(f"*.{suffix}"))
    return found | {f"figures/{path.name}" for path in pictures if _is_ours(path)}


def _is_ours(picture: Path) -> bool:
    try:
        mark = read_mark(read_bounded(picture, _MOST_PICTURE), picture.suffix[1:])
    except OSError:
        return False
    return mark is not None and plot_of(mark) is not None
