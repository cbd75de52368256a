"""`ablate why`: why a trial would run, or would not."""

from __future__ import annotations

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy


@click.command("why")
@options.recorded_study
@click.argument("key")
def command(asked: AskedStudy, key: str) -> None:
    """Explain whether trial KEY of STUDY would run, and why. KEY may be shortened."""
    from ablations.analysis.results.results import Results
    from ablations.commands.shared.flags import with_flags
    from ablations.commands.shared.trials import complete_key
    from ablations.running.sweep.why import explain_trial

    design, paths = asked.open()
    record = paths.open_record()
    results = Results(design, record, places=paths.places())
    known = results.by_key
    row, trial = known[
        complete_key(
            key,
            known,
            f"study {design.study.name!r}",
            lists=results.commands("report"),
            written_as=record.trials.written_as,
        )
    ]
    for line in explain_trial(row, trial, paths, record.trials, design.study):
        click.echo(with_flags(line))
