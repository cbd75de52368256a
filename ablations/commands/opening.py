"""From the words of a command line to a study's design, folders and record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from senet_core.plugins import load_installed_plugins

if TYPE_CHECKING:
    from ablations.plan.design import Design
    from ablations.run.places import Places


def open_study(
    study: str,
    overrides: Sequence[str],
    seeds: int | None,
    plugins: Sequence[str],
    results_dir: Path,
    reports_dir: Path,
) -> tuple[Design, Places]:
    """Load the plug-ins and the study, and unfold it.

    Raises:
        UserError: whatever is wrong with any of them, in one line.
    """
    from ablations.plan.design import design
    from ablations.plan.study_file import load_study
    from ablations.run.places import Places

    load_installed_plugins()
    loaded = load_study(study, overrides=overrides, seeds=seeds, plugins=plugins)
    return design(loaded), Places(loaded.name, results_dir, reports_dir)
