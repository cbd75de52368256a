"""Checks of MLflow: that its store answers, and that its runs agree with the records."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import RecordError
from ablations.planning.commands import Places
from ablations.planning.typed_study import TypedStudy
from ablations.running.doctor.finding import Finding, mended, ok, problem, warning
from ablations.running.mlflow.runs import KEY, Runs, may_be_written
from ablations.running.mlflow.store import Store, connect, locate, why_failed
from ablations.running.mlflow.tracker import LEFT_OPEN
from ablations.running.record.last_plan import read_last_plan
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from senet_core.errors import UserError
from senet_core.words import counted

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient


def check_tracking(
    tracking_uri: str | None, results_dir: Path, studies: Sequence[str], *, fix: bool
) -> Iterator[Finding]:
    """Yield findings on the MLflow store, and on its runs of some studies.

    Args:
        tracking_uri: the store; None for the default.
        results_dir: folder of the records.
        studies: their names.
        fix: close runs that a killed sweep left open.
    """
    try:
        store = locate(tracking_uri, results_dir)
    except UserError as error:
        yield problem(str(error), "give another `tracking_uri`, or change MLFLOW_TRACKING_URI")
        return
    if store.database is not None and not store.database.exists():
        yield ok(f"no MLflow database yet; the first sweep makes {store.database}")
        return
    damage = _damage(store)
    if damage is not None:
        yield damage
        return
    try:
        client = connect(replace(store, given=True))  # as if it were the user's: nothing is migrated
    except UserError as error:
        yield problem(str(error), _mend_store(store, str(error)))
        return
    yield ok(f"MLflow at {store.shown} answers")
    for study in studies:
        paths = StudyPaths(study, results_dir, results_dir)
        leases = None if store.given else Leases(paths.leases)
        shown = None if tracking_uri is None else store.shown
        yield from _check_study(client, paths, leases, shown, fix=fix)


def _damage(store: Store) -> Finding | None:
    """Return a finding on a damaged database file, read without MLflow, which would try to open it for minutes."""
    if store.database is None:
        return None
    try:
        with closing(sqlite3.connect(f"{store.database.as_uri()}?mode=ro", uri=True, timeout=20)) as database:
            [said] = database.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said == "ok":
        return None
    return problem(
        f"the MLflow database {store.database} is damaged: {' '.join(said.split())}",
        "move it away; the next sweep makes a new one, and `ablate sync` with a study fills it from the study's record",
    )


def _mend_store(store: Store, why: str) -> str:
    if "out-of-date" in why:
        if store.given:
            return f"mlflow db upgrade {store.shown}, after a copy of the database was made"
        return "the next sweep migrates it"
    if store.database is None and "connection is refused" not in why:
        return "do what it says, or give another `tracking_uri`"
    return "start the server, or give another `tracking_uri`"


def _check_study(
    client: MlflowClient, paths: StudyPaths, leases: Leases | None, tracking_uri: str | None, *, fix: bool
) -> Iterator[Finding]:
    study = paths.study
    try:
        experiment = client.get_experiment_by_name(study)
        runs = None if experiment is None else Runs(client, str(experiment.experiment_id))
        trials = [] if runs is None else runs.on_level("trial")
    except Exception as error:  # MLflow's own errors, and those of the network below it
        why = why_failed(error, client.tracking_uri)
        yield problem(f"MLflow has no answer for study {study!r}: {why}", "see the server's log")
        return
    stale = [run for run in trials if run.info.status == "RUNNING" and not may_be_written(run, leases)]
    if runs is not None and stale:
        found = warning(
            f"MLflow: {counted(len(stale), 'run')} of {study!r} left running by a dead sweep",
            "the next sweep, or `fix=True`, closes them as killed",
        )
        opened = runs
        yield mended(found, lambda: _close(opened, stale, client.tracking_uri), fix=fix)
    yield from _compare(paths, trials, tracking_uri)


def _compare(paths: StudyPaths, trials: Sequence[Run], tracking_uri: str | None) -> Iterator[Finding]:
    study = paths.study
    try:
        finished = TrialFile.load(paths.record).finished
    except RecordError:
        return  # said where the record is looked at
    there = Counter(run.data.tags.get(KEY, "") for run in trials if run.info.status == "FINISHED")
    missing = finished.keys() - there.keys()
    doubled = [key for key, count in there.items() if count > 1]
    if missing:
        yield warning(
            f"MLflow lacks {counted(len(missing), 'finished trial')} of {study!r}",
            _sync(paths, tracking_uri),
        )
    if doubled:
        yield warning(
            f"MLflow has several finished runs of {counted(len(doubled), 'trial')} of {study!r}: {doubled[0]}",
            "delete all but one in the UI; the record counts each trial once",
        )


def _sync(paths: StudyPaths, tracking_uri: str | None) -> str:
    """Return the command that fills a study's experiment, as the study was run last."""
    asked = TypedStudy(paths.study)
    with suppress(RecordError):
        last = read_last_plan(paths.results)
        asked = asked if last is None else last.typed
    places = Places(results_dir=paths.results_dir, tracking_uri=tracking_uri)
    return places.command("sync", *asked.words)


def _close(runs: Runs, stale: Sequence[Run], uri: str) -> None:
    try:
        for run in stale:
            runs.close_left_open(run.info.run_id, LEFT_OPEN)
    except Exception as error:
        logging.getLogger("ablations").debug("closing a run failed", exc_info=True)
        raise UserError(why_failed(error, uri)) from error
