"""`ablate why`: why a trial would run, or would not."""

from __future__ import annotations

import click

from ablations.commands import options
from ablations.commands.options import AskedStudy


@click.command("why")
@options.asked_study
@click.argument("key")
def command(
    asked: AskedStudy,
    key: str,
) -> None:
    """Say whether trial KEY of STUDY would run, and why. KEY may be shortened."""
    from ablations.commands.trials import complete_key
    from ablations.running.sweep.why import explain_trial

    design, places = asked.open()
    if design.study.design in ("tuned", "search"):
        from ablations.analysis.results.selection import settled

        design = settled(design, places.load_record())
    trials = {key: trial for key, (_, trial) in design.by_key.items()}
    found = complete_key(key, trials, f"study {design.study.name!r}")
    for line in explain_trial(design, places, trials[found]):
        click.echo(line)
