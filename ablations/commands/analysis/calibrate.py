"""`ablate calibrate`: how often a study's report would be wrong."""

from __future__ import annotations

from contextlib import nullcontext

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy


@click.command("calibrate")
@options.recorded_study
@click.option(
    "--resamples",
    type=int,
    default=2000,
    show_default=True,
    metavar="N",
    help="Resampled reports of each kind; 100 to 100,000.",
)
def command(asked: AskedStudy, resamples: int) -> None:
    """Say how often the report of STUDY would be wrong.

    The noise of the study's record is resampled, with no true effect or a known one, through the tests of its report:
    wrong verdicts, coverage of intervals, what is found, and by how much it is exaggerated. The figures are kept in
    RESULTS/STUDY/calibration.json, and the report shows them.
    """
    from rich.text import Text

    from ablations.analysis.calibration.of_study import calibrate_study
    from ablations.analysis.calibration.page import calibration_table
    from ablations.analysis.results.results import Results
    from ablations.analysis.tables.screen import ScreenTable
    from ablations.commands.shared.console import make_console
    from ablations.running.record.calibrations import keep_calibration

    design, paths = asked.open()
    results, console = Results(design, paths.open_record(), places=paths.places()), make_console()
    with console.status(Text("resampling reports")) if console.is_terminal else nullcontext():
        found = calibrate_study(results, resamples=resamples)
    table = calibration_table(found, design.study.metric)
    console.print(ScreenTable(table))
    for note in table.notes:
        console.print(note)
    click.echo(keep_calibration(paths.results, found), err=True)
