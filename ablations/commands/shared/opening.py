"""From the words of a command line to a study's design, folders and record."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablations.commands.shared.flags import with_flags
from ablations.errors import StudyError
from senet_core.errors import printable
from senet_core.plugins import load_installed_plugins, load_plugin_file

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.typed_study import TypedStudy
    from ablations.running.record.study_paths import StudyPaths


def open_study(
    asked: TypedStudy,
    results_dir: Path,
    reports_dir: Path,
    *,
    last_run: bool = False,
    fresh: bool = False,
    refuse: bool = True,
) -> tuple[Design, StudyPaths]:
    """Load the plug-ins and the study, unfold it, and say which plug-ins were loaded.

    With `last_run`, a study to which nothing is changed is that which was run last, and it is said so. With `fresh`,
    the record does not say in which precision it goes on; with `refuse`, rows in both are refused.

    Code runs that the user named: plug-in files on the command line and in the study, and packages that the user
    installed and that announce themselves under the entry point `senet_core.plugins`.

    Raises:
        UserError: whatever is wrong with any of them, in one line.
    """
    from ablations.analysis.results.precision import design_of
    from ablations.planning.study_file import load_typed
    from ablations.running.record.study_paths import StudyPaths

    installed = load_installed_plugins()
    if last_run:
        asked = take_up(asked, results_dir)
    loaded = load_typed(asked).beside(results_dir)
    paths = StudyPaths(loaded.name, results_dir, reports_dir)
    unfolded = design_of(loaded, None if fresh else paths.open_record(), refuse=refuse)
    announce_plugins([str(origin) for origin in installed], loaded.plugins)
    _point_to_record(asked, paths)
    return unfolded, paths


def _point_to_record(asked: TypedStudy, paths: StudyPaths) -> None:
    """Say where the record is if only the folder of the study's file has one: the results folder is the caller's."""
    from ablations.running.record.study_paths import StudyPaths

    if not asked.is_file or paths.record.exists():
        return
    beside = StudyPaths(paths.study, Path(os.path.abspath(asked.study)).parent / "results", paths.reports_dir)
    if beside.record.is_file():
        where = shlex.quote(str(beside.results_dir))
        said = f"{paths.results_dir} has no record of {paths.study}, and the folder of its file has one: --results-dir"
        click.echo(printable(f"{said} {where}"), err=True)


def take_up(asked: TypedStudy, results_dir: Path) -> TypedStudy:
    """Return the words with which a study was run last, where they hold, and say so in one line."""
    from ablations.api.last_run import as_last_run

    words, said = as_last_run(asked, results_dir)
    if said:
        click.echo(with_flags(printable(said)), err=True)
    return words


def plugins_of(study: str, plugins: Sequence[str], results_dir: Path) -> tuple[tuple[str, ...], str]:
    """Load the plug-ins that a recorded study needs: those given, and those of its last run.

    A study whose file is not here any more has a record all the same.

    Returns:
        Their files, and the folder from which the study's images are found.

    Raises:
        UserError: a plug-in that was given cannot be loaded.
    """
    from ablations.api.last_run import as_last_run
    from ablations.planning.study_file import load_typed
    from ablations.planning.typed_study import TypedStudy

    load_installed_plugins()
    for file in plugins:
        load_plugin_file(file)
    asked, _ = as_last_run(TypedStudy(study, plugins=tuple(plugins)), results_dir)
    try:
        opened = load_typed(asked).beside(results_dir)
        loaded, folder = opened.plugins, opened.folder
    except StudyError as error:
        if asked.is_file and Path(asked.study).exists():
            click.echo(
                f"the study's own plug-ins are not loaded: {with_flags(printable(str(error)))}", err=True
            )
        loaded, folder = asked.plugins, os.path.dirname(os.path.abspath(results_dir))
        for file in loaded:
            load_plugin_file(file)
    announce_plugins(loaded)
    return tuple(loaded), folder


def announce_plugins(*names: Sequence[str]) -> None:
    """Print whose code was loaded beside our own, in one line; not where programs read the output."""
    loaded = [name for several in names for name in several]
    if loaded:
        click.echo(f"plug-in{'s' if len(loaded) > 1 else ''} loaded: {', '.join(loaded)}", err=True)
