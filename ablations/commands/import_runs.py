"""`ablate import`: recorded runs become trials of a study, which is then extended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

if TYPE_CHECKING:
    from ablations.api.importing import ImportDone

_SHOWN = 40


def _names(what: str, flag: str, given: tuple[str, ...]) -> dict[str, str]:
    """Return pairs such as "lr=learning_rate" as a mapping."""
    from ablations.analysis.external.asked import compose
    from senet_core.errors import UserError

    found: dict[str, str] = {}
    for pair in given:
        own, mark, name = pair.partition("=")
        if not own or not mark or not name:
            raise UserError(f"{flag} takes {what}=NAME, got {pair!r}")
        if found.setdefault(own, compose(name)) != compose(name):
            raise UserError(f"{flag} names {own!r} twice, as {found[own]} and {name}")
    return found


@click.command("import")
@click.argument("source")
@options.asked_study
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="FACTOR=NAME",
    help="What SOURCE calls a factor of the study.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC=NAME",
    help="What SOURCE calls a metric of the study.",
)
@click.option(
    "--seed-column",
    "--seed",
    "seed",
    default="seed",
    show_default=True,
    metavar="NAME",
    help="What SOURCE calls the seed.",
)
@click.option("--pattern", metavar="TEXT", help="How folders or runs are named, such as lr{lr}/seed{seed}.")
@click.option(
    "--at", default="last", show_default=True, metavar="last|STEP", help="Which of a run's values counts."
)
@click.option("--unit", metavar="NAME", help="That the values are in: the study's.")
@click.option("--tracking-uri", metavar="URI", help="MLflow's store, for mlflow:EXPERIMENT.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def command(
    asked: AskedStudy,
    source: str,
    settings: tuple[str, ...],
    metrics: tuple[str, ...],
    seed: str,
    pattern: str | None,
    at: str,
    unit: str | None,
    tracking_uri: str | None,
    dry_run: bool,
) -> None:
    """Take the runs in SOURCE as trials of STUDY.

    Those are taken whose settings and seed are planned there. SOURCE is what `ablate analyse` reads; STUDY is a
    study of a program or a function. `ablate run STUDY` then trains what is missing. See docs/recorded-runs.md.
    """
    from ablations.analysis.external.importing.reading import AskedImport
    from ablations.api.importing import import_runs
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.flags import with_flags
    from ablations.planning.commands import StudyCommands
    from senet_core.words import counted

    wanted = AskedImport(
        settings=_names("FACTOR", "--setting", settings),
        metrics=_names("METRIC", "--metric", metrics),
        seed=seed,
        pattern=pattern,
        at=at,
        unit=unit,
        tracking_uri=tracking_uri,
    )
    design, paths = asked.open()
    done = import_runs(design, paths, source, wanted, write=not dry_run)
    console = make_console()
    _print_lines(done, dry_run=dry_run)
    for note in done.plan.notes:
        console.print(with_flags(note), soft_wrap=True)
    of = f"{done.plan.where} into {paths.record}"
    new = len(done.plan.lines)
    if dry_run:
        said = f"{counted(new, 'trial')} would be imported from {of}; nothing was written"
    else:
        said = f"{counted(done.written, 'trial')} imported from {of}"
    if done.plan.known:
        said += f"; {done.plan.known} of its {done.plan.kind}s are there already"
    console.print(said, soft_wrap=True)
    if new > done.written and not dry_run:
        console.print(f"{new - done.written} were added by others meanwhile, and left out")
    commands = StudyCommands(design.study, paths.places())
    then = (
        f"{commands('run')} trains {counted(done.left, 'trial')} that is left"
        if done.left == 1
        else (
            f"{commands('run')} trains the {done.left} that are left"
            if done.left
            else f"{commands('report')} compares all"
        )
    )
    console.print(f"Next: {then}", soft_wrap=True)


def _print_lines(done: ImportDone, *, dry_run: bool) -> None:
    """Print which run becomes which trial: all of them where nothing is written, else nothing."""
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table
    from ablations.commands.shared.console import make_console

    if not dry_run or not done.plan.lines:
        return
    columns = (
        Column("run", done.plan.kind, "left"),
        Column("row", "row", "left"),
        *(Column(name, name, "left") for name in ("seed", "result", "key")),
    )
    rows = []
    for label, line in done.plan.lines[:_SHOWN]:
        result = line.failure.message if line.failure else ""
        if line.result is not None:
            result = ", ".join(
                f"{name} {value:g}" for name, value in line.result.values.items() if value is not None
            )
        origin = "" if line.imported is None else line.imported.run.removeprefix(f"{done.plan.kind} ")
        rows.append((origin, label, str(line.trial["seed"]), result, line.key))
    console = make_console()
    console.print(text_table(columns, rows))
    if len(done.plan.lines) > _SHOWN:
        console.print(f"and {len(done.plan.lines) - _SHOWN} more")
