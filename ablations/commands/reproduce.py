"""`ablate reproduce`: train a recorded trial again and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.running.record.trial_record import TrialRecord
    from ablations.running.sweep.reproduce import Reproduction


@click.command("reproduce")
@click.argument("study")
@click.argument("key")
@options.plugins
@options.results_dir
@options.data_dir
@click.option("--keep-weights", is_flag=True, help="Keep the weights of its network, if they are the same.")
def command(
    study: str, key: str, plugins: tuple[str, ...], results_dir: Path, data_dir: Path, keep_weights: bool
) -> int:
    """Train the recorded trial KEY of STUDY again.

    Says whether the same comes out, to the last bit. KEY may be shortened as long as it names one trial. Of a trial
    that was imported, it says whether this study's code gives its result. Status 0: identical; 1: not.
    """
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.opening import plugins_of
    from ablations.commands.shared.trials import find_line
    from ablations.planning.typed_study import TypedStudy
    from ablations.running.record.study_record import StudyRecord
    from ablations.running.sweep.reproduce import reproduce

    console = make_console()
    line = find_line(study, key, results_dir)
    files, folder = plugins_of(study, plugins, results_dir)
    made_again = reproduce(
        line,
        data_dir=data_dir,
        results_dir=results_dir,
        plugins=files,
        folder=folder,
        weights=keep_weights,
    )
    if line.imported is not None:
        return _say_of_imported(console, line, made_again)
    if made_again.identical:
        console.print(
            f"trial {line.key}: bit-identical (weights, errors, losses, {len(line.history)} epochs)"
        )
        if made_again.weights is not None:
            record = StudyRecord(results_dir / TypedStudy(study).name)
            console.print(f"  weights: {record.keep_weights(line, made_again.weights)}", soft_wrap=True)
        return 0
    console.print(f"trial {line.key}: not identical")
    for name, before, now in made_again.differing:
        console.print(f"  {name}: recorded {before}, now {now}")
    if made_again.first_epoch is not None:
        console.print(f"  the epochs differ from epoch {made_again.first_epoch} on")
    for name, before, now in made_again.causes:
        console.print(f"  {name} differs: recorded {before!r}, now {now!r}")
    without = line.environment.get("not_deterministic", "")
    if without:
        console.print(
            f"  its network has operations without a deterministic form on CUDA: {without}", soft_wrap=True
        )
    if not made_again.causes and not without:
        console.print("  nothing in the recorded environment explains it")
    return 1


def _say_of_imported(console: Console, line: TrialRecord, made: Reproduction) -> int:
    """Say whether the study's code gives the result of an imported trial."""
    console.print(f"trial {line.key} was imported from {line.imported}", soft_wrap=True)
    if made.identical:
        console.print("the code of this study gives the same result, to the last bit")
        return 0
    console.print("it cannot be made again by the code of this study, which gives another result here:")
    for name, before, now in made.differing:
        console.print(f"  {name}: recorded {before}, now {now}")
    console.print("  on which machine and by which code it was recorded is not known")
    return 1
