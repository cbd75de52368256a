"""`ablate retry`: try failed trials again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ablations.commands import options


@click.command("retry")
@options.study_options
@options.sweep_options
@click.option("--kind", help="Only failures of this kind: diverged, oom, disk, timeout, killed, error.")
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    kind: str | None,
    **sweep_options: Any,
) -> int:
    """Try the failed trials of STUDY again, and nothing else."""
    from ablations.commands.opening import open_study
    from ablations.commands.sweeping import run_sweep
    from ablations.run.record import KINDS
    from senet_core.errors import UserError, unknown

    if kind is not None and kind not in KINDS:
        raise unknown("kind of failure", kind, KINDS)
    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    failed = places.load_record().failed
    of_kind = {
        key for key, line in failed.items() if kind in (None, line.failure.kind if line.failure else None)
    }
    keys = of_kind & design.by_key.keys()
    if not keys:
        what = "failed trials" if kind is None else f"trials that failed by {kind!r}"
        raise UserError(f"study {design.study.name!r} has no {what} to try again")
    return run_sweep(design, places, rows=design, keys=frozenset(keys), **sweep_options)
