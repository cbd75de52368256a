"""`ablate plan`: what a study would train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands import options

if TYPE_CHECKING:
    from rich.table import Table

    from ablations.plan.design import Design
    from ablations.run.networks import Networks
    from senet_core.fingerprint import Structure
    from senet_core.variant import SEVariant

WIDE = 120
"""Columns from which the network behind each row is written out."""


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
    """Show the rows of STUDY, the network behind each, and how many trials are left. Trains nothing.

    For each network: the units of its bottlenecks by stage, its parameters, its multiply-adds for one image, and a
    hash of the function that it computes with fixed weights. Rows with one hash are one network, and a study that
    compares them is refused unless it says allow_identical.
    """
    from ablations.commands.console import make_console
    from ablations.commands.opening import open_study
    from ablations.run.identical import explain_identical, refuse_identical
    from ablations.run.networks import Networks, data_shape

    design, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    finished = frozenset(places.load_record().finished)
    shape = data_shape(design.study.baseline.data)
    networks = Networks(shape)
    refuse_identical(design, networks)
    console = make_console()
    console.print(_table(design, networks, finished, wide=console.width >= WIDE))
    for one, other in networks.identical(design.cells) if design.study.allow_identical else ():
        console.print(f"identical: {explain_identical(one, other, networks)}")
    for note in networks.floor_notes(design.cells):
        console.print(note)
    for label, problem in networks.problems.items():
        console.print(f"{label} cannot be computed: {problem}", style="red")
    if shape.assumed:
        console.print(f"Costs are for {shape.num_classes} classes; the prepared folder has its own number.")
    left = sum(trial.key not in finished for trial in design.trials)
    console.print(f"{len(design.cells)} rows, {len(design.trials)} trials, {left} to train")


def _table(design: Design, networks: Networks, finished: frozenset[str], *, wide: bool) -> Table:
    from rich.table import Table

    from senet_core.floor import width_text

    table = Table(title=f"{design.study.title}\n{design.study.question}", title_justify="left")
    table.add_column("row", overflow="fold")
    if wide:
        table.add_column("network", overflow="fold")
        table.add_column("blocks\nweigh")
    for column in ("units by\nstage", "parameters", "multiply-\nadds", "function", "recorded"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for cell in design.cells:
        made_of, mark = networks.structure(cell), networks.fingerprint(cell)
        keys = [cell.trial(seed).key for seed in design.seeds]
        table.add_row(
            cell.label,
            *([f"{cell.backbone} {_short(cell.variant)}", _places(made_of)] if wide else []),
            (width_text(dict(made_of.widths)) if made_of else None) or "–",
            f"{made_of.parameters:,}" if made_of else "–",
            f"{made_of.multiply_adds:,}" if made_of else "–",
            mark.function[:8] if mark else "–",
            f"{sum(key in finished for key in keys)} of {len(keys)}",
        )
    return table


def _short(variant: SEVariant | None) -> str:
    """Write a variant with the fields only that differ from the paper's; it reads back to an equal value."""
    from senet_core.variant import PAPER_SE
    from senet_core.variant_text import variant_fields

    if variant is None:
        return "plain"
    usual = variant_fields(PAPER_SE)
    changed = [f"{name}={value}" for name, value in variant_fields(variant).items() if value != usual[name]]
    return f"se:{','.join(changed)}" if changed else "se"


def _places(made_of: Structure | None) -> str:
    """Count the blocks by what they weigh: "9 out"."""
    points = [point for _, point in made_of.gates] if made_of else []
    return ", ".join(f"{points.count(point)} {point}" for point in dict.fromkeys(points)) or "–"
