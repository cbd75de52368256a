"""`ablate run`: train what is missing of a study, then report."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

if TYPE_CHECKING:
    from ablations.api.sweeping import RunOptions
    from ablations.running.executors.factories import ExecutorFactory


@click.command("run")
@options.asked_study
@options.sweep_options
@click.option(
    "--only", multiple=True, metavar="ROW", help='Train only this row, such as "SE r=8"; may be repeated.'
)
@click.option("--fresh", is_flag=True, help="Set the old record aside and start anew.")
@click.option("--no-report", is_flag=True, help="Train only; `ablate report STUDY` writes the report later.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but what goes wrong.")
def command(
    asked: AskedStudy,
    only: tuple[str, ...],
    no_report: bool,
    quiet: bool,
    run_options: RunOptions,
    executors: ExecutorFactory,
) -> int:
    """Train what STUDY lacks, and write its report.

    Every trial that is not yet recorded is trained, recorded and logged to MLflow.

    STUDY is a shipped study (see `ablate studies`) or a YAML file. Ctrl-C stops; the same command continues.
    """
    from ablations.commands.shared.sweeping import Words, run_sweep
    from senet_core.errors import UserError

    design, paths = asked.open(fresh=run_options.fresh)
    if only and design.kind.decides:
        raise UserError(
            f"--only does not go with design {design.study.design}, in which the study itself decides what is trained"
        )
    design.study.experiment.check(design)
    keys = design.only([unicodedata.normalize("NFC", row) for row in only]).by_key.keys() if only else None
    return run_sweep(
        design, paths, run_options, executors, only=keys, words=Words(report=not no_report, quiet=quiet)
    )
