"""`ablate retry`: try failed trials again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

if TYPE_CHECKING:
    from ablations.api.sweeping import RunOptions
    from ablations.running.executors.factories import ExecutorFactory


@click.command("retry")
@options.recorded_study
@options.sweep_options
@click.option("--kind", help="Only failures of this kind: diverged, oom, disk, timeout, killed, error.")
def command(asked: AskedStudy, kind: str | None, run_options: RunOptions, executors: ExecutorFactory) -> int:
    """Try the failed trials of STUDY again, and nothing else."""
    from ablations.commands.shared.sweeping import run_sweep
    from ablations.planning.commands import StudyCommands
    from ablations.running.record.trial_record import KINDS
    from senet_core.errors import UserError, unknown

    if kind is not None and kind not in KINDS:
        raise unknown("kind of failure", kind, KINDS)
    design, paths = asked.open()
    if design.kind.chooses:
        again = StudyCommands(design.study, paths.places())("run")
        raise UserError(
            f"a study of design {design.study.design} tries failed trials again, or replaces them, with: {again}"
        )
    failed = paths.open_record().failed
    of_kind = {
        key for key, line in failed.items() if kind in (None, line.failure.kind if line.failure else None)
    }
    keys = of_kind & design.by_key.keys()
    if not keys:
        what = "failed trials" if kind is None else f"trials that failed by {kind!r}"
        raise UserError(f"study {design.study.name!r} has no {what} to try again")
    return run_sweep(design, paths, run_options, executors, only=keys)
