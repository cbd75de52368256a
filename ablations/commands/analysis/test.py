"""`ablate test`: a study's trained networks on several crops, as ensembles, or on other test images."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from ablations.commands.shared import options, programs
from ablations.commands.shared.options import AskedStudy


@click.command("test")
@options.recorded_study
@click.option("--only", multiple=True, metavar="ROW", help="Test only this row; may be repeated.")
@click.option(
    "--crops",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="1, 5, 10 or 144 crops of each image, whose probabilities are averaged.",
)
@click.option(
    "--size", type=int, metavar="N", help="Side of a crop in pixels; as in the training if not given."
)
@click.option("--short", type=int, metavar="N", help="Resize images to this shorter side before.")
@click.option("--flip", is_flag=True, help="With one crop: its mirror image, too.")
@click.option(
    "--ensemble",
    "ensembles",
    multiple=True,
    metavar="seeds|rows",
    help="Also all networks of a row together, or of all rows with one seed; may be repeated.",
)
@click.option(
    "--images",
    metavar="NAME",
    help="A second test set, with --from: cifair10, cifair100, cifar10-c, cifar100-c, or cifar10-c/CORRUPTION.",
)
@click.option("--from", "path", type=click.Path(path_type=Path), help="Where the second test set is.")
@programs.as_json("Print the tests as JSON, for programs.")
@options.data_dir
def command(
    asked: AskedStudy,
    only: tuple[str, ...],
    ensembles: tuple[str, ...],
    images: str | None,
    path: Path | None,
    as_json: bool,
    data_dir: Path,
    **views: Any,
) -> None:
    """Test STUDY's trained networks again, in other ways.

    As the SE paper's Tables 8 and 9 do, or on a second test set.

    The study must have kept its networks' weights (keep_weights: true). Nothing is trained or chosen. What is recorded
    in RESULTS/STUDY/tests is not tested again, and the same command goes on where it was ended; reports show all tests.
    """
    import json

    from rich.text import Text

    from ablations.analysis.results.results import Results
    from ablations.analysis.tables.screen import ScreenTable
    from ablations.analysis.tested.of_study import AskedTests, run_tests
    from ablations.analysis.tested.page import tables_of_tests
    from ablations.analysis.tested.summary import tried_of
    from ablations.commands.shared.console import make_console
    from ablations.planning.networks.views import Views

    wanted = AskedTests(Views(**views), ensembles, images, path, only)
    design, paths = asked.open()
    results, console = Results(design, paths.open_record(), places=paths.places()), make_console()
    with console.status("") if console.is_terminal and not as_json else nullcontext() as status:
        run_tests(
            results,
            wanted,
            data_dir=data_dir,
            say=lambda text: None if status is None else status.update(Text(f"testing {text}")),
        )
    results = Results(design, paths.open_record(), places=paths.places())
    found = [tables_of_tests(tried) for part in results.tasks if (tried := tried_of(part))]
    if as_json:
        click.echo(json.dumps([record for tables in found for record in tables[-1].records], indent=1))
        return
    for tables in found:
        for table in tables:
            console.print(Text(table.title, style="bold"))
            console.print(ScreenTable(table))
    click.echo(f"recorded in {results.record.folder / 'tests'}; next: {results.commands('report')}")
