"""Studies: shipped ones by name, files by path, or mappings of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablations.analysis.results.precision import design_of
from ablations.planning.design import Design
from ablations.planning.study import Study
from ablations.planning.study_file import load_study as _load
from ablations.planning.study_file import shipped_studies
from ablations.planning.yaml_text import yaml_value
from ablations.running.record.study_paths import StudyPaths
from senet_core.given import list_of
from senet_core.plugins import load_installed_plugins, load_plugin_file

__all__ = ["AnyStudy", "Study", "load_plugin", "load_study", "open_study", "shipped_studies"]

AnyStudy = Study | str | Path | Mapping[str, Any]
"""A study, a shipped study's name, the path of a study file, or a mapping of its fields."""


def load_study(
    study: AnyStudy,
    *,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    seeds: int | None = None,
    plugins: Sequence[str | Path] = (),
) -> Study:
    """Return a study, with what is changed in it.

    Installed plug-ins are loaded first, as the command line does.

    Args:
        study: a shipped study's name (`shipped_studies`), a YAML file, or a mapping of the same fields; the field
            `name` of a mapping names its folders, and is "study" if it is not there. A Study is returned with its
            changes.
        overrides: {"recipe.epochs": 2}, or texts FIELD=VALUE: ["recipe.epochs=2"].
        seeds: how many seeds, 0 to seeds - 1, instead of the study's own.
        plugins: plug-in files to load, beside those that the study names.

    Raises:
        StudyError: what is wrong with it, in one line.
    """
    load_installed_plugins()
    if isinstance(overrides, Mapping):
        overrides = [f"{field}={yaml_value(value)}" for field, value in overrides.items()]
    changed = [str(text) for text in list_of("`overrides`", overrides)]
    files = [str(file) for file in list_of("`plugins`", plugins)]
    given = study.fields() if isinstance(study, Study) else study
    return _load(
        given if isinstance(given, Mapping) else str(given),
        overrides=changed,
        seeds=seeds,
        plugins=files,
    )


def open_study(
    study: AnyStudy,
    results_dir: str | Path,
    reports_dir: str | Path | None = None,
    *,
    fresh: bool = False,
    **changes: Any,
) -> tuple[Design, StudyPaths]:
    """Return a study unfolded into its rows, and its folders.

    Args:
        study: see `load_study`.
        results_dir: images of a study that is no file are named from the folder around it, which is moved with it.
        reports_dir: for reports; `results_dir` if not given.
        fresh: whether its record is to be set aside, so that it does not say in which precision the study goes on.
        changes: as those of `load_study`.

    Raises:
        StudyError: what is wrong with it, in one line.
        RecordError: its record cannot be read, or has rows in two precisions.
    """
    loaded = study if isinstance(study, Study) and not any(changes.values()) else load_study(study, **changes)
    placed = loaded.beside(results_dir)
    paths = StudyPaths(placed.name, Path(results_dir), Path(reports_dir or results_dir))
    return design_of(placed, None if fresh else paths.open_record()), paths


def load_plugin(path: str | Path) -> None:
    """Load a plug-in file: squeezes, gates, excitations, integrations or backbones that it registers.

    Raises:
        UserError: the file is not there, or its code fails.
    """
    load_plugin_file(str(path))
