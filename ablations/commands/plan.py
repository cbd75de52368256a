"""`ablate plan`: what a study would train."""

from __future__ import annotations

from pathlib import Path

import click

from ablations.commands import options


@click.command("plan")
@options.study_options
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
) -> None:
    """Show the rows of STUDY, the network behind each, and how many trials are left. Trains nothing."""
    from rich.table import Table

    from ablations.commands.console import make_console
    from ablations.commands.opening import open_study
    from senet_core.variant_text import variant_text

    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    finished = places.load_record().finished
    table = Table(title=f"{design.study.title}\n{design.study.question}", title_justify="left")
    for column in ("row", "network", "trials", "recorded"):
        table.add_column(
            column, justify="right" if column in ("trials", "recorded") else "left", overflow="fold"
        )
    for cell in design.cells:
        keys = [cell.trial(seed).key for seed in design.seeds]
        network = f"{cell.backbone} {variant_text(cell.variant)}"
        table.add_row(cell.label, network, str(len(keys)), str(sum(key in finished for key in keys)))
    console = make_console()
    console.print(table)
    left = sum(trial.key not in finished for trial in design.trials)
    console.print(f"{len(design.cells)} rows, {len(design.trials)} trials, {left} to train")
