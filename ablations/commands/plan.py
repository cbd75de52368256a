"""`ablate plan`: what a study would train, how long that takes here, and what it can find."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands import options

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.commands.forecasting import Plan
    from ablations.planning.design import Design
    from ablations.running.machine.kernels import Kernels
    from ablations.running.training.networks import Networks

WIDE = 120
"""Columns from which the network behind each row is written out."""

PATIENCE_SECONDS = 5.0
"""Of computing for one network, beyond which a plan looks at no other one of its backbone."""

_POINTS = options.Numbers(min=1e-6, max=100)


@click.command("plan")
@options.study_options
@options.data_dir
@options.workers
@options.kernels
@click.option(
    "--calibrate",
    type=options.Numbers(min=0, max=86_400),
    default=20.0,
    show_default=True,
    envvar="ABLATE_CALIBRATE",
    metavar="SECONDS",
    help="How long to try the trials whose speed no earlier record tells; 0 to skip.",
)
@click.option(
    "--sd", type=_POINTS, metavar="POINTS", help="Standard deviation of one row's error over seeds."
)
@click.option("--rho", type=float, help="Correlation of two rows over seeds, with --sd; 0 if not given.")
@click.option("--pilot", metavar="STUDY", help="Take the noise from another study's record.")
@click.option("--detect", type=_POINTS, metavar="POINTS", help="Say what finding this difference takes.")
@click.option("--json", "as_json", is_flag=True, help="Print everything for programs.")
def command(
    study: str,
    overrides: tuple[str, ...],
    seeds: int | None,
    plugins: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    data_dir: Path,
    workers: int | None,
    kernels: Kernels,
    calibrate: float,
    sd: float | None,
    rho: float | None,
    pilot: str | None,
    detect: float | None,
    as_json: bool,
) -> None:
    """Show what STUDY would train, how long that takes on this machine, and which differences it can find.

    For each network: the units of its bottlenecks by stage, its parameters, its multiply-adds for one image, and a
    hash of the function that it computes with fixed weights. Rows with one hash are one network, and a study that
    compares them is refused unless it says allow_identical.

    Times are those of earlier trials with the same settings on this processor; where there are none, a few steps
    are trained with as many processes at once as the sweep will use. What a difference needs depends on the noise
    between seeds: that of this study's record, of a pilot's (--pilot), or as stated (--sd, --rho). The forecast is
    kept in RESULTS/STUDY/forecast.json, and the report compares it with what happened.
    """
    from ablations.commands.console import make_console
    from ablations.commands.forecasting import choose_noise, make_plan
    from ablations.commands.opening import open_study
    from ablations.planning.choices.arms import rows_to_forecast
    from ablations.running.sweep.identical import refuse_identical
    from ablations.running.sweep.small_images import refuse_small_images
    from ablations.running.training.networks import Networks, data_shape

    asked, places = open_study(study, overrides, seeds, plugins, results_dir, reports_dir)
    design = rows_to_forecast(asked)
    refuse_small_images(design)
    record = places.load_record()
    noise = choose_noise(design, places, record, sd, rho, pilot, detect)
    finished = frozenset(record.finished)
    networks = Networks(data_shape(design.study.baseline.data), limit_seconds=PATIENCE_SECONDS)
    refuse_identical(design, networks)
    console = make_console()
    if not as_json:
        _show_networks(design, networks, finished, console)
    plan = make_plan(
        design, places, networks, finished, noise,
        data_dir=data_dir, workers=workers, kernels=kernels, calibrate=calibrate, detect=detect,
        wait=lambda text: console.status(text) if console.is_terminal and not as_json else None,
    )  # fmt: skip
    if as_json:
        _print_json(design, networks, finished, plan)
    else:
        _show_plan(plan, console)
        _show_choice(asked, plan, console)


def _show_networks(design: Design, networks: Networks, finished: frozenset[str], console: Console) -> None:
    from ablations.commands.plan_table import network_table

    console.print(network_table(design, networks, finished, wide=console.width >= WIDE))
    for note in _notes(design, networks):
        console.print(note)
    for label, problem in networks.problems.items():
        console.print(f"{label} cannot be computed: {problem}", style="red")
    left = sum(trial.key not in finished for trial in design.trials)
    console.print(f"{len(design.cells)} rows, {len(design.trials)} trials, {left} to train")
    if design.study.design == "race":
        console.print(
            "A race stops adding seeds to rows whose verdict is in: trials and hours are the most it can take. What it"
            " can find is said for all seeds and one look; the looks of a race cost a little of that."
        )
    if design.study.confirm:
        console.print(
            f"To confirm the best row, up to {2 * design.study.confirm} more trials, not counted here."
        )


def _show_choice(design: Design, plan: Plan, console: Console) -> None:
    """Say what a study's choices add to the rows above."""
    from ablations.planning.choices.arms import choice_trials
    from ablations.running.machine.durations import duration_text

    proposals, chosen = choice_trials(design)
    search = design.study.search
    if search is not None and search.hours is not None:
        console.print(
            f"The search adds {search.hours:g} hours of training, and up to {chosen} trials of its winners."
        )
    elif proposals:
        rows = plan.forecast.rows
        seconds = sum(row.seconds + row.rest for row in rows) / max(1, len(rows))
        wall = duration_text((proposals + chosen) * seconds / plan.forecast.workers)
        about = f", together about {wall} if they are like the rows above" if rows else ""
        console.print(
            f"The choice adds {proposals} proposals and up to {chosen} trials of what it chooses{about}."
        )


def _notes(design: Design, networks: Networks) -> list[str]:
    from ablations.running.sweep.identical import explain_identical

    pairs = networks.identical(design.cells) if design.study.allow_identical else ()
    notes = [f"identical: {explain_identical(one, other, networks)}" for one, other in pairs]
    notes += networks.floor_notes(design.cells)
    left_out = [cell.label for cell in design.cells if cell.label in networks.left_out]
    if left_out:
        notes.append(
            f"Left out, as each takes about {max(networks.left_out.values()):.0f} s of computing: the networks or"
            f" functions of {', '.join(left_out)}; `ablate run` compares all rows before it trains."
        )
    shape = networks.shape
    if shape.assumed:
        notes.append(f"Costs are for {shape.num_classes} classes; the prepared folder has its own number.")
    return notes


def _show_plan(plan: Plan, console: Console) -> None:
    from textwrap import fill

    from ablations.commands.plan_words import plan_words

    lines = list(plan_words(plan))
    indent = max((len(name) for name, _ in lines), default=0) + 2
    for name, text in lines:
        shown = fill(
            text,
            width=console.width,
            initial_indent=name.ljust(indent),
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
        )
        console.print(shown, soft_wrap=True)


def _print_json(design: Design, networks: Networks, finished: frozenset[str], plan: Plan) -> None:
    import json

    from ablations.commands.plan_table import network_rows

    content = {
        "study": design.study.name,
        "rows": network_rows(design, networks, finished),
        "notes": _notes(design, networks),
        "problems": networks.problems | plan.problems,
        "trials": len(design.trials),
        "left": sum(trial.key not in finished for trial in design.trials),
        "forecast": plan.forecast.to_json(),
        "detect": None if plan.wanted is None else asdict(plan.wanted),
        "kept": None if plan.kept is None else str(plan.kept),
        "said": list(plan.said),
    }
    click.echo(json.dumps(content, indent=1, allow_nan=False))
