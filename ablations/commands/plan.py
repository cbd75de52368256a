"""`ablate plan`: what a study would train, how long that takes here, and what it can find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy
from senet_core.errors import UserError, printable
from senet_core.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.api.planning import StudyPlan
    from ablations.planning.design import Design
    from ablations.running.machine.kernels import Kernels
    from ablations.running.record.seals import Seal

_POINTS = options.Numbers(min=1e-6, max=100)


@click.command("plan")
@options.asked_study
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
    help="How long to time a row whose speed no earlier record tells; 0 to skip.",
)
@click.option(
    "--sd", type=_POINTS, metavar="POINTS", help="Standard deviation of one row's error over seeds."
)
@click.option("--rho", type=float, help="Correlation of two rows over seeds, with --sd; 0 if not given.")
@click.option("--pilot", metavar="STUDY", help="Take the noise from another study's record.")
@click.option("--detect", type=_POINTS, metavar="POINTS", help="Say what finding this difference takes.")
@click.option("--seal", is_flag=True, help="Write the plan down as one that was made before the results.")
@click.option(
    "--primary",
    multiple=True,
    metavar="ROW,ROW",
    help="With --seal: the rows that are to confirm something; all if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything for programs.")
def command(
    asked: AskedStudy,
    data_dir: Path,
    workers: int | None,
    kernels: Kernels,
    calibrate: float,
    sd: float | None,
    rho: float | None,
    pilot: str | None,
    detect: float | None,
    seal: bool,
    primary: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what STUDY would train, how long, and what it can find.

    Below the table stand the recipe's values, and the images with their number, size and source.

    For each network: the units of its bottlenecks by stage, its parameters, its multiply-adds for one image, and a
    hash of the function that it computes with fixed weights. Rows with one hash are one network, and a study that
    compares them is refused unless it says allow_identical.

    Times are those of earlier trials with the same settings on this processor; where there are none, one row is
    timed with as many processes at once as the sweep will use, and the others are scaled by their multiply-adds. What
    a difference needs depends on the noise between seeds: that of this study's record, of a pilot's (--pilot), or as
    stated (--sd, --rho). The forecast is kept in RESULTS/STUDY/forecast.json, and the report compares it with what
    happened.

    --seal writes into RESULTS/STUDY/seal.jsonl what is asked, the primary rows, how they will be tested, the commit and
    the time. The report then says which rows confirm something, and what was changed since.
    """
    from rich.text import Text

    from ablations.api.planning import NoiseSource, plan_study
    from ablations.api.sealing import seal_study
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.flags import with_flags
    from ablations.commands.shared.plan_words import plan_words
    from ablations.commands.shared.study_words import study_words
    from ablations.running.cost.times import TimingOptions

    if primary and not seal:
        raise UserError("--primary belongs to --seal")
    design, paths = asked.open()
    rows = _named_rows(primary, design)
    console = make_console()
    plan = plan_study(
        design, paths,
        noise=NoiseSource(sd, rho, pilot),
        detect=detect,
        options=TimingOptions(data_dir, workers, kernels, calibrate),
        wait=lambda text: console.status(Text(text)) if console.is_terminal and not as_json else None,
    )  # fmt: skip
    plan = replace(plan, said=tuple(map(with_flags, plan.said)))
    sealed = seal_study(design, paths, rows) if seal else None
    if as_json:
        import json

        said = {} if sealed is None else {"seal": asdict(sealed)}
        click.echo(json.dumps({**plan.to_json(), **said}, indent=1, allow_nan=False))
    else:
        _show_networks(plan, console)
        _show_lines([*study_words(design.study, data_dir), *plan_words(plan)], console)
        if plan.choice:
            console.print(plan.choice)
        if sealed is not None:
            console.print(_seal_words(sealed), soft_wrap=True)


def _named_rows(given: Sequence[str], design: Design) -> list[str]:
    """Return the rows of words such as "SE r=4,SE max"; a label that has a comma itself is one word."""
    labels = {name: row.label for row in design.rows for name in (row.unnamed, row.label) if name}
    found = []
    for text in (normalize("NFC", word) for word in given):
        found += [text] if text in labels else [part.strip() for part in text.split(",")]
    return [labels.get(name, name) for name in found]


def _seal_words(seal: Seal) -> str:
    code = (
        f"commit {seal.commit}{' with changes' if seal.dirty else ''}" if seal.commit else "no known commit"
    )
    after = f", after {seal.known} of {counted(seal.planned, 'trial')}" if seal.known else ""
    primary = "all rows" if seal.primary is None else ", ".join(seal.primary)
    return printable(f"sealed at {seal.time} by {code}{after}; primary: {primary}; {seal.rule}")


def _show_networks(plan: StudyPlan, console: Console) -> None:
    from ablations.commands.shared.plan_table import row_table

    study = plan.design.study
    console.print(study.title)
    console.print(study.question)
    console.print(row_table(plan))
    for note in plan.notes:
        console.print(note)
    for label, problem in plan.broken.items():
        console.print(f"{label} cannot be computed: {problem}", style="red")
    console.print(
        f"{counted(len(plan.rows), 'row')}, {counted(len(plan.design.trials), 'trial')}, {plan.left} to train"
    )
    if study.kind.races:
        console.print(
            "A race stops adding seeds to rows whose verdict is in: trials and hours are the most it can take. What it"
            " can find is said for all seeds and one look; the looks of a race cost a little of that."
        )
    if study.confirm:
        console.print(f"To confirm the best row, up to {2 * study.confirm} more trials, not counted here.")


def _show_lines(lines: Sequence[tuple[str, str]], console: Console) -> None:
    """Print sentences, each with its word in a column on the left."""
    from textwrap import fill

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
