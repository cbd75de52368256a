"""Runs of an MLflow experiment, whatever script has logged them."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ablations.analysis.external.asked import Asked, compose
from ablations.analysis.external.folders import has_table, is_sqlite
from ablations.analysis.external.patterns import with_names_of_runs
from ablations.analysis.external.runs import Points, Recorded, RecordedRun, as_text
from ablations.analysis.external.source import Source
from ablations.running.machine.addresses import shown_address, sqlite_address
from ablations.running.mlflow.store import Store, connect, locate, why_failed
from ablations.running.record.study_paths import DATABASE
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run
    from mlflow.tracking import MlflowClient

_PAGE = 1000
_MOST_HISTORIES = 300  # a question to a server for each run
_STATES = {"FAILED": "failed", "KILLED": "killed", "RUNNING": "not finished", "SCHEDULED": "not started"}
_FOLDERS = "MLFLOW_ALLOW_FILE_STORE"


class MlflowExperiment(Source):
    """An experiment of MLflow: parameters, tags and the run's name are settings."""

    name = "mlflow"
    accepts = "mlflow:EXPERIMENT: its name or number, in MLflow's store of this folder or of `tracking_uri`"
    takes = frozenset({"pattern", "tracking_uri"})

    def recognises(self, place: str) -> bool:
        """Return False: an experiment's name could be that of anything."""
        return False

    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the runs of an experiment but for deleted ones; those that are not finished have no result."""
        uri = _address(asked.tracking_uri)
        with _opened(uri) as client:
            try:
                found = _experiment(client, place, uri)
                runs = _runs(client, found)
                metrics = {
                    run.info.run_id: _metrics(client, run, asked, few=len(runs) <= _MOST_HISTORIES)
                    for run in runs
                }
            except UserError:
                raise
            except Exception as fault:
                raise UserError(
                    f"cannot read MLflow at {shown_address(uri)}: {why_failed(fault, uri)}"
                ) from fault
        own = _parents_left_out(runs, asked.seed or "seed")
        both = _in_params_and_tags(own)
        made = tuple(
            RecordedRun(
                repr(run.info.run_name or run.info.run_id),
                {**_settings(run, both), **_named_by_kind(run, asked)},
                metrics[run.info.run_id],
                _STATES.get(run.info.status, ""),
                run.info.run_id,
            )
            for run in own
        )
        return with_names_of_runs(
            Recorded(f"MLflow's experiment {found.name!r}", made, has_steps=True), asked
        )


def _address(given: str | None) -> str:
    """Return the store: as given, else that of MLFLOW_TRACKING_URI, else what lies in the working folder.

    Raises:
        UserError: there is none, or it is no address of one.
    """
    address = given or os.environ.get("MLFLOW_TRACKING_URI")
    if not address:
        here = [file for file in (Path(DATABASE), Path("results", DATABASE), Path("mlruns")) if file.exists()]
        if here:
            return _address(str(here[0]))
        raise UserError(
            f"there is no MLflow store here, neither {DATABASE} nor results/{DATABASE} nor mlruns/;"
            " `tracking_uri=URI` names one"
        )
    if (folder := _folder(address)) is not None:
        return str(folder)
    if "://" not in address and Path(address).is_file():
        address = sqlite_address(Path(address))
    store = locate(address, Path())
    _refuse_other_file(store.database)
    return store.uri


def _refuse_other_file(database: Path | None) -> None:
    """Refuse what is no database of MLflow's; MLflow itself tries for minutes, or makes one of it."""
    if database is None:
        return
    shown = repr(str(database))
    if not is_sqlite(database):
        why = "is no database of SQLite" if database.exists() else "is not there"
        raise UserError(f"MLflow's store {shown} {why}")
    if not has_table(database, "experiments"):
        raise UserError(f"MLflow's store {shown} is a database of something else")


def _folder(address: str) -> Path | None:
    """Return the folder of a store of files, as MLflow made them before its databases; None for another address."""
    path = Path(unquote(address.removeprefix("file://").removeprefix("file:")))
    return path if path.is_dir() else None


@contextmanager
def _opened(uri: str) -> Iterator[MlflowClient]:
    """Open a store to read it: nothing is made or migrated."""
    if (folder := _folder(uri)) is None:
        store = replace(locate(uri, Path()), given=True)
        yield connect(store, make=False)
        return
    before = os.environ.get(_FOLDERS)
    os.environ[_FOLDERS] = "true"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that such stores are old, and what YAML is read with
            yield connect(Store(folder.absolute().as_uri(), None, given=True), make=False)
    finally:
        if before is None:
            del os.environ[_FOLDERS]
        else:
            os.environ[_FOLDERS] = before


def _experiment(client: MlflowClient, place: str, uri: str) -> Experiment:
    found = client.get_experiment_by_name(place) if place else None
    if found is None and place.isascii() and place.isdigit():
        known = [one for one in client.search_experiments() if one.experiment_id == place]
        found = known[0] if known else None
    if found is None:
        names = [one.name for one in client.search_experiments()]
        raise UserError(f"MLflow's store {shown_address(uri)}: {unknown('experiment', place, names)}")
    if found.lifecycle_stage == "deleted":
        raise UserError(
            f"MLflow's experiment {found.name!r} is deleted; `mlflow experiments restore` brings it back"
        )
    return found


def _runs(client: MlflowClient, experiment: Experiment) -> list[Run]:
    """Return the runs of an experiment, the first first; the deleted ones are left out."""
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id],
            order_by=["attributes.start_time ASC"],
            max_results=_PAGE,
            page_token=token,
        )
        runs += page
        token = page.token
        if not token:
            return runs


def _metrics(client: MlflowClient, run: Run, asked: Asked, *, few: bool) -> dict[str, Points]:
    """Return the last values of a run, and all of the metric that is meant where runs are few, or where they count."""
    last: dict[str, Points] = {
        compose(name): ((None, _value(value)),) for name, value in run.data.metrics.items()
    }
    if (asked.metric is None and len(last) > 1) or (asked.at == "last" and not few):
        return last
    for name in run.data.metrics:
        if asked.metric is None or compose(name) == asked.metric:
            history = client.get_metric_history(run.info.run_id, name)
            ordered = sorted(history, key=lambda one: (one.step, one.timestamp, one.value))
            last[compose(name)] = tuple((one.step, _value(one.value)) for one in ordered)
    return last


def _value(value: float) -> float:
    """Return a value as it was logged: MLflow's databases keep the largest number for what is infinite."""
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else float(value)


def _parents_left_out(runs: Sequence[Run], seed: str) -> list[Run]:
    """Return the runs but for those that only started others: they have no seed of their own."""
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs}
    return [
        run
        for run in runs
        if run.info.run_id not in parents or seed in run.data.params or seed in run.data.tags
    ]


def _in_params_and_tags(runs: Sequence[Run]) -> set[str]:
    """Return the names that are a parameter and a tag of other values: they need to be told apart."""
    return {
        name
        for run in runs
        for name, value in run.data.params.items()
        if name in run.data.tags and run.data.tags[name] != value
    }


def _named_by_kind(run: Run, asked: Asked) -> dict[str, str]:
    """Return what is asked for in MLflow's own way: `params.lr`, `tags.optimizer`."""
    kinds = {"params": run.data.params, "tags": run.data.tags}
    found = {}
    for name in (*asked.variant, asked.seed or "", asked.task or ""):
        kind, _, inner = name.partition(".")
        if kind in kinds and inner in kinds[kind]:
            found[name] = as_text(kinds[kind][inner])
    return found


def _settings(run: Run, both: set[str]) -> dict[str, str]:
    tags = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    settings = {"run_name": as_text(run.info.run_name or run.info.run_id)}
    for kind, values in (("tags", tags), ("params", run.data.params)):
        settings |= {
            compose(f"{kind}.{name}" if name in both else name): as_text(value)
            for name, value in values.items()
        }
    return settings
