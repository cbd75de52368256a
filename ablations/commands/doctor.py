"""`ablate doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options
from senet_core.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.planning.design import Design
    from ablations.running.doctor import Finding

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command("doctor")
@click.argument("study", required=False)
@click.option("--fix", is_flag=True, help="Mend what is safe to mend; results are never removed.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@options.results_dir
@options.data_dir
@options.tracking_uri
@click.option("--no-tracking", is_flag=True, help="Do not look at MLflow.")
def command(
    study: str | None,
    fix: bool,
    as_json: bool,
    results_dir: Path,
    data_dir: Path,
    tracking_uri: str | None,
    no_tracking: bool,
) -> int:
    """Look for what is wrong here, and with STUDY's files.

    Looks at packages, devices, disk, data sets, and at the files of all studies if none is named. Ends with 0 if
    there is no problem (warnings are none), with 1 otherwise. --fix sets a torn last line of a record aside, moves
    outcomes and weights that no line names aside, removes stale leases and what killed sweeps left behind, and
    closes their MLflow runs.
    """
    import json
    from dataclasses import asdict, replace

    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.flags import with_flags
    from ablations.running.doctor import examine

    design, name, unreadable = _study(study, results_dir)
    console = make_console()
    found: list[Finding] = list(unreadable)
    for finding in examine(
        results_dir,
        data_dir,
        design=design,
        study=name,
        tracking_uri=tracking_uri,
        tracking=not no_tracking,
        fix=fix,
    ):
        said = replace(finding, what=with_flags(finding.what), how_to_mend=with_flags(finding.how_to_mend))
        found.append(said)
        if not as_json:
            _show(console, said)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=1))
    else:
        for finding in unreadable:
            _show(console, finding)
        _conclude(console, found, fix=fix)
    return 1 if any(finding.is_open for finding in found) else 0


def _study(study: str | None, results_dir: Path) -> tuple[Design | None, str | None, list[Finding]]:
    """Read the study; what is wrong in its file is a finding, for its record can be looked at all the same."""
    if study is None:
        return None, None, []
    from ablations.commands.shared.opening import announce_plugins, take_up
    from ablations.planning.design import design
    from ablations.planning.study_file import load_typed, shipped_studies
    from ablations.planning.typed_study import TypedStudy
    from ablations.running.doctor.examination import studies_with_results
    from ablations.running.doctor.finding import problem
    from senet_core.errors import UserError
    from senet_core.plugins import load_installed_plugins

    with suppress(UserError):  # a finding of its own
        load_installed_plugins()
    try:
        unfolded = design(load_typed(take_up(TypedStudy(study), results_dir)).beside(results_dir))
    except UserError as error:
        if study in studies_with_results(results_dir):
            return None, study, []  # its file is not here, its results are
        if study not in shipped_studies() and not Path(study).is_file():
            raise
        return None, Path(study).stem, [problem(str(error), "correct the study")]
    announce_plugins(unfolded.study.plugins)
    return unfolded, unfolded.study.name, []


def _show(console: Console, finding: Finding) -> None:
    style = "green" if finding.mended else _STYLES[finding.level]
    level = "mended" if finding.mended else finding.level
    console.print(f"{level:8} {finding.what}", style=style, soft_wrap=True)
    if finding.how_to_mend and not finding.mended:
        console.print(f"         {finding.how_to_mend}", soft_wrap=True)


def _conclude(console: Console, found: list[Finding], *, fix: bool) -> None:
    mended = sum(finding.mended for finding in found)
    problems = sum(finding.is_open for finding in found)
    warnings = sum(finding.level == "warning" and not finding.mended for finding in found)
    said = f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}, {mended} mended"
    safe = any("--fix" in finding.how_to_mend and not finding.mended for finding in found)
    console.print(f"{said}; --fix mends what is safe to mend" if safe and not fix else said)
