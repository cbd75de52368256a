"""`ablate probe`: what the gates of a study's trained networks do."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from ablations.commands.analysis.report import as_formats
from ablations.commands.shared import options, programs
from ablations.commands.shared.options import AskedStudy
from senet_core.errors import UserError


@click.command("probe")
@options.recorded_study
@click.option("--only", multiple=True, metavar="ROW", help="Probe only this row; may be repeated.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME",
    help="Draw this class, the first two with their spread; may be repeated. Four of all if not given.",
)
@click.option(
    "--images-per-class",
    type=int,
    metavar="N",
    help="Take the first N test images of each class; all if not given. The paper has 50.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Make the page again from the Parquet files of the last probe, which needs no weights and no images.",
)
@click.option(
    "--leave-out",
    type=click.Path(dir_okay=False),
    metavar="FILE.yaml",
    help="Write a study that leaves out the blocks whose gates are nearest to a constant; with --only, for that row.",
)
@click.option(
    "--format", "formats", default="md,html", show_default=True, callback=as_formats, help="md, html, latex."
)
@programs.as_json("Print one JSON document for programs, and write no page.")
@options.data_dir
def command(
    asked: AskedStudy,
    only: tuple[str, ...],
    classes: tuple[str, ...],
    images_per_class: int | None,
    again: bool,
    leave_out: str | None,
    formats: tuple[str, ...],
    as_json: bool,
    data_dir: Path,
) -> None:
    """Look into the gates of STUDY's trained networks.

    As section 7.2 of the SE paper does.

    The study must have kept its networks' weights (keep_weights: true). Written into REPORTS/STUDY/gates: a page with
    the paper's statements, each confirmed, contradicted or undetermined here; its Fig. 6 and 7; measures by depth with
    intervals over seeds; and the numbers, gates.parquet and units.parquet, from which --again makes the page again.
    Nothing is trained.
    """
    import json
    import shlex

    from rich.text import Text

    from ablations.analysis.probe.document import probe_document
    from ablations.analysis.probe.first_screen import first_screen
    from ablations.analysis.probe.next_study import next_study
    from ablations.analysis.probe.numbers import read_probe, write_numbers
    from ablations.analysis.probe.of_study import probe_results
    from ablations.analysis.probe.page import PROBE_FOLDER, chosen_classes, write_probe
    from ablations.analysis.probe.tables import glance_tables
    from ablations.analysis.results.results import Results
    from ablations.analysis.tables.screen import ScreenTable
    from ablations.commands.shared.console import make_console
    from ablations.planning.commands import program
    from ablations.planning.new_study import check_new_study, write_new_study

    if again and images_per_class is not None:
        raise UserError("--again takes the images of the last probe; --images-per-class does not go with it")
    if leave_out is not None:
        check_new_study(leave_out)  # before the minutes that follow
    design, paths = asked.open()
    results, console = Results(design, paths.open_record(), places=paths.places()), make_console()
    folder = paths.report / PROBE_FOLDER
    with console.status("") if console.is_terminal and not as_json else nullcontext() as status:
        probe = (
            read_probe(folder).only(only)
            if again
            else probe_results(
                results,
                rows=only,
                images_per_class=images_per_class,
                data_dir=data_dir,
                say=lambda text: None if status is None else status.update(Text(f"gates of {text}")),
            )
        )
    chosen_classes(probe, classes)
    fewer = (
        None if leave_out is None else next_study(results, probe)
    )  # refused, if at all, before anything is written
    if as_json:
        click.echo(json.dumps(probe_document(probe), indent=1, allow_nan=False))
        if leave_out is not None and fewer is not None:
            write_new_study(leave_out, fewer)
        return
    numbers = () if again else write_numbers(probe, folder)
    written = write_probe(probe, folder, classes=classes, formats=formats)
    console.print(Text(" ".join(first_screen(probe).answer)))
    for table in glance_tables(probe.rows):
        console.print(ScreenTable(table))
    for note in probe.notes:
        console.print(Text(note))
    for path in (written.markdown, written.html, written.latex, *numbers):
        if path is not None:
            click.echo(path)
    if (
        leave_out is not None and fewer is not None
    ):  # last: the same command is not refused if it is stopped before
        path = write_new_study(leave_out, fewer)
        click.echo(f"{path} is written; next: {program()} plan {shlex.quote(str(path.absolute()))}")
