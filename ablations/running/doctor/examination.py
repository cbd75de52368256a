"""The whole examination: the machine, the data, and the studies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ablations.planning.design import Design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.study import NetworkStudy
from ablations.running.doctor.data import check_data, digests_of
from ablations.running.doctor.finding import Finding, ok, problem
from ablations.running.doctor.leftovers import check_checkpoints, check_leases, check_running
from ablations.running.doctor.machine import check_devices, check_disk, check_packages
from ablations.running.doctor.outcomes import check_outcomes
from ablations.running.doctor.records import check_record
from ablations.running.doctor.retests import check_retests
from ablations.running.doctor.side_files import check_side_files
from ablations.running.doctor.tracking import check_tracking
from ablations.running.doctor.weights import check_weights
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import FILE_NAME
from senet_core.errors import UserError

_OF_A_STUDY = (FILE_NAME, "leases", "running", "checkpoints", "outcomes", "weights", "tests")


def examine(
    results_dir: Path,
    data_dir: Path,
    *,
    design: Design | None = None,
    study: str | None = None,
    tracking_uri: str | None = None,
    tracking: bool = True,
    fix: bool = False,
) -> Iterator[Finding]:
    """Yield the findings on everything, and repair what is safe to repair. Results are never removed.

    Args:
        results_dir: holds a folder for each study; it need not exist.
        data_dir: folder of the prepared data sets; it need not exist.
        design: of the study whose data to check; None to check every prepared data set.
        study: the name of the study to check; None for every study that has results.
        tracking_uri: the MLflow store; None for the default.
        tracking: whether to check MLflow.
        fix: repair a torn line, stale leases, unused checkpoints and progress files, outcomes and weights that no line
            names, also those of tests after the training, and MLflow runs that a killed sweep left open.
    """
    yield from check_packages()
    yield from check_devices()
    yield from check_disk(results_dir, data_dir)
    asked = None if design is None else design.study
    wanted = tuple(asked.data_sets.values()) if isinstance(asked, NetworkStudy) else ()
    yield from check_data(data_dir, wanted, fix=fix)
    digests = digests_of(data_dir, wanted)
    names = [study] if study is not None else studies_with_results(results_dir)
    if not names:
        yield ok(f"no study has results in {results_dir}")
    for name in names:
        yield from _check_study(StudyPaths(name, results_dir, results_dir), digests, fix=fix)
    if tracking:
        yield from check_tracking(tracking_uri, results_dir, names, fix=fix)


def studies_with_results(results_dir: Path) -> list[str]:
    """Return the studies that have a folder with something in it, by name."""
    try:
        folders = [path for path in results_dir.iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted(path.name for path in folders if not os.access(path, os.X_OK) or _has_something(path))


def _has_something(folder: Path) -> bool:
    return any(
        os.path.exists(folder / name) for name in _OF_A_STUDY
    )  # Path.exists raises where it may not look


def _check_study(paths: StudyPaths, digests: dict[DataSpec, str], *, fix: bool) -> Iterator[Finding]:
    try:
        paths.check_writable()
    except UserError as error:
        yield problem(str(error), "give yourself the right to write there, or name another by `results_dir`")
    finished = yield from check_record(paths, digests, fix=fix)
    yield from check_side_files(paths, fix=fix)
    try:
        alive = yield from check_leases(paths, fix=fix)
        yield from check_running(paths, alive, fix=fix)
        yield from check_checkpoints(paths, alive, finished, fix=fix)
        yield from check_outcomes(paths, fix=fix)
        yield from check_weights(paths, fix=fix)
        yield from check_retests(paths, fix=fix)
    except OSError as error:
        yield problem(
            f"cannot look into {paths.results}: {error.strerror or error}", "give yourself the right to"
        )
