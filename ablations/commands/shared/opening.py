"""From the words of a command line to a study's design, folders and record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from senet_core.plugins import load_installed_plugins

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.running.record.study_paths import StudyPaths


def open_study(
    study: str,
    overrides: Sequence[str],
    seeds: int | None,
    plugins: Sequence[str],
    results_dir: Path,
    reports_dir: Path,
) -> tuple[Design, StudyPaths]:
    """Load the plug-ins and the study, unfold it, and say which plug-ins were loaded.

    Code runs that the user named: plug-in files on the command line and in the study, and packages that the user
    installed and that announce themselves under the entry point `senet_core.plugins`.

    Raises:
        UserError: whatever is wrong with any of them, in one line.
    """
    from ablations.planning.design import design
    from ablations.planning.study_file import load_study
    from ablations.running.record.study_paths import StudyPaths

    installed = load_installed_plugins()
    loaded = load_study(study, overrides=overrides, seeds=seeds, plugins=plugins)
    unfolded = design(loaded)
    announce_plugins([str(origin) for origin in installed], loaded.plugins)
    return unfolded, StudyPaths(loaded.name, results_dir, reports_dir)


def announce_plugins(*names: Sequence[str]) -> None:
    """Print whose code was loaded beside our own, in one line; not where programs read the output."""
    loaded = [name for several in names for name in several]
    if loaded:
        click.echo(f"plug-in{'s' if len(loaded) > 1 else ''} loaded: {', '.join(loaded)}", err=True)
