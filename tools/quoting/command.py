"""`make paper`: the numbers, tables and plots of the documents, from results/."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from tools.quoting.documents import check_document, documents_of, marked, write_document
from tools.quoting.mismatch import Mismatch
from tools.quoting.pictures import Unconfirmed, check_picture, pictures_of, write_picture
from tools.quoting.reports import check_report, committed_reports, make_report
from tools.quoting.sources import Library


@click.command("paper")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Write nothing; say what differs, and end with status 1 if anything does."
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The clone; the current folder if not given.",
)
@click.pass_context
def command(context: click.Context, files: tuple[Path, ...], check: bool, folder: Path) -> None:
    """Write what the documents quote from results/ between their marks, or check that it is still so.

    FILES are Markdown documents; without any, README.md and docs/ are meant, the pictures in docs/, and the reports
    that are in git. What a mark may ask for is in docs/maintaining/quoting-results.md.
    """
    chosen = [Path(os.path.abspath(file)) for file in files]
    folder = Path(os.path.abspath(folder))
    os.chdir(folder)  # studies that are files are named from there
    library = Library(folder)
    documents = chosen or documents_of(folder)
    if check:
        found = _check(documents, library, whole=not files)
        for difference in found:
            click.echo(str(difference))
        if found:
            differences = f"{len(found)} difference{'s' * (len(found) != 1)}"
            click.echo(f"{differences} from results/; `make paper` writes it anew")
            context.exit(1)
    else:
        _write(documents, library, whole=not files)


def _check(documents: Sequence[Path], library: Library, *, whole: bool) -> list[Mismatch]:
    found = [d for path in documents for d in check_document(path, _name(path, library), library)]
    click.echo(f"marks in documents: {marked(documents)}")
    if not whole:
        return found
    for study in committed_reports(library.folder):
        found += check_report(study, library)
        click.echo(f"report of {study}")
    for path in pictures_of(library.folder):
        shown = check_picture(path, library)
        if isinstance(shown, Unconfirmed):
            click.echo(f"{shown.file}: not from committed results: {shown.why}")
        elif shown is not None:
            found.append(shown)
    return found


def _write(documents: Sequence[Path], library: Library, *, whole: bool) -> None:
    names = {path: _name(path, library) for path in documents}
    for path, name in names.items():  # a wrong mark is said before anything is written
        check_document(path, name, library)
    for study in committed_reports(library.folder) if whole else ():
        if check_report(study, library):
            make_report(study, library)
            click.echo(f"written: reports/{study}")
    for path, name in names.items():
        if write_document(path, name, library):
            click.echo(f"written: {name}")
    for path in pictures_of(library.folder) if whole else ():
        shown = check_picture(path, library)
        if shown is not None and not isinstance(shown, Unconfirmed):
            write_picture(path, library)
            click.echo(f"written: {_name(path, library)}")


def _name(path: Path, library: Library) -> str:
    return path.relative_to(library.folder).as_posix() if path.is_relative_to(library.folder) else str(path)
