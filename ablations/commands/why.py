"""`ablate why`: why a trial would run, or would not."""

from __future__ import annotations

from pathlib import Path

import click

from ablations.commands import options


@click.command("why")
@options.study_options
@click.argument("key")
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    key: str,
) -> None:
    """Say whether trial KEY of STUDY would run, and why. KEY may be shortened."""
    from ablations.commands.opening import open_study
    from ablations.commands.trials import complete_key
    from ablations.run.why import explain_trial

    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    trials = {key: trial for key, (_, trial) in design.by_key.items()}
    found = complete_key(key, trials, f"study {design.study.name!r}")
    for line in explain_trial(design, places, trials[found]):
        click.echo(line)
