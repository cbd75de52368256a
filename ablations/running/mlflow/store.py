"""Finding, making and opening an MLflow store.

MLflow costs two seconds to import and three to make a database, so it is imported here, where it is used.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ablations.errors import ToolMissing
from ablations.running.machine.addresses import (
    SQLITE,
    shown_address,
    sqlite_address,
    sqlite_file,
    without_secrets,
)
from ablations.running.machine.locks import locked
from ablations.running.mlflow.artifact_root import keep_beside
from ablations.running.mlflow.unreachable import NO_MLFLOW, why_unusable
from ablations.running.record.study_paths import ARTIFACTS, DATABASE
from senet_core.errors import UserError

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

ACCEPTED = "sqlite:///PATH.db or the http address of a running MLflow server"
SERVED = ("http", "https", "databricks")  # the server decides where files go
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
REACH_SECONDS = 5
SQLALCHEMY_ASIDE = "(raised as a result of"  # it comes before the reason
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A sweep must not stand still for a server that has gone: MLflow's own patience is minutes.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


class NoServer(UserError):
    """A server that the user named does not answer as MLflow; it may later.

    Attributes:
        why: in a few words.
    """

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Store:
    """One MLflow store.

    Args:
        uri: what MLflow calls the tracking URI.
        artifacts: folder for the files of new experiments; None leaves the choice to the server.
        given: the user named the store, so that a fault in it is the user's to know before training starts.
    """

    uri: str
    artifacts: Path | None
    given: bool

    @property
    def database(self) -> Path | None:
        """The file of an SQLite store."""
        return sqlite_file(self.uri)

    @property
    def shown(self) -> str:
        """The URI without the password that it may hold."""
        return shown_address(self.uri)


def locate(tracking_uri: str | None, results_dir: Path) -> Store:
    """Find the store: the one given, else that of MLFLOW_TRACKING_URI, else a database under `results_dir`.

    Raises:
        UserError: what was given is no store that MLflow writes to (it gave up folders in 3.13), or no address.
    """
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        results = results_dir.resolve()  # one address, however the folder is reached
        return Store(sqlite_address(results / DATABASE), results / ARTIFACTS, given=False)
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme in ("http", "https", *PORTS) and not _is_address(uri):
        raise UserError(f"tracking URI {shown_address(uri)!r} names no host and port; accepted: {ACCEPTED}")
    if scheme in SERVED:
        return Store(uri, None, given=True)
    if scheme in PORTS and "://" in uri:
        return Store(uri, results_dir.absolute() / ARTIFACTS, given=True)
    database = None if uri == SQLITE else sqlite_file(uri)
    if database is None:
        raise UserError(
            f"tracking URI {shown_address(uri)!r} is no place that MLflow writes to; accepted: {ACCEPTED}"
        )
    return Store(sqlite_address(database), database.absolute().parent / ARTIFACTS, given=True)


def connect(store: Store, *, make: bool = True) -> MlflowClient:
    """Open a store, making or migrating its database first if `make`.

    Raises:
        NoServer: a server that the user named does not answer.
        ToolMissing: the driver of the database is not installed.
        UserError: the user named a database that cannot be used.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        if make and store.database is not None:
            _prepare_database(store, store.database)
        _reach(store.uri)
        client = _client(store.uri)
        _check_answers(client)
    except Exception as fault:
        if not store.given:
            raise
        why = why_failed(fault, store.uri)
        if store.uri.startswith("http") and not _is_mlflows(fault):
            why = NO_MLFLOW
        problem = f"cannot use MLflow at {store.shown}: {why}; accepted: {ACCEPTED}"
        if store.database is None and not isinstance(fault, ImportError):
            raise NoServer(problem, why) from fault
        raise (ToolMissing if isinstance(fault, ImportError) else UserError)(problem) from fault
    return client


def experiment(client: MlflowClient, name: str, store: Store) -> str:
    """Return the identity of the experiment of this name, made or taken out of MLflow's bin where needed.

    In the database of a results folder its files are kept in that folder. A database that the user named is the user's.
    """
    known = _experiment(client, name, store.artifacts)
    if store.database is not None and store.artifacts is not None and not store.given:
        keep_beside(store.database, known, store.artifacts / name)
    return known


def _experiment(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        # The kind opens the page on the table of runs; otherwise MLflow guesses and first asks the reader.
        tags = {"mlflow.experimentKind": "custom_model_development"}
        place = None if artifacts is None else (artifacts / name).absolute().as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=place, tags=tags))
        except Exception:
            found = client.get_experiment_by_name(name)
            if found is None:  # otherwise another sweep has made it at this moment
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def served_store(tracking_uri: str | None, results_dir: Path) -> Store:
    """Return the store of these results, for MLflow's pages.

    Raises:
        UserError: the store is a server, which serves its pages itself, or there is no database yet.
    """
    store = locate(tracking_uri, results_dir)
    if store.artifacts is None:
        raise UserError(f"{store.shown} is a running server; open it in a browser")
    if store.database is not None and not store.database.exists():
        raise UserError(f"nothing to show: {store.database} does not exist yet; `ablate run` makes it")
    return store


def ui_command(port: int = 5000) -> list[str]:
    """Return the command that serves MLflow's pages, in `ui_environment`: every user sees the words of a command."""
    serve = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port)]
    return [*serve, "--workers", "1", "--uvicorn-opts", "--log-level warning"]


def ui_environment(store: Store) -> dict[str, str]:
    """Return the environment for `ui_command`, which names the store; what the user has set of the rest stays."""
    quiet = {
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore",  # MLflow 3.17 uses what Starlette deprecates
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes and 1.9 GiB for other uses of MLflow
    }
    artifacts = "" if store.artifacts is None else store.artifacts.absolute().as_uri()
    named = {"MLFLOW_BACKEND_STORE_URI": store.uri, "MLFLOW_DEFAULT_ARTIFACT_ROOT": artifacts}
    return {**SETTINGS, **quiet, **os.environ, **named}


def _is_mlflows(fault: BaseException) -> bool:
    """Return whether MLflow raised an error of its own, not one of reading what it did not expect."""
    return isinstance(fault, ImportError) or type(fault).__module__.startswith("mlflow.")


def why_failed(fault: Exception, uri: str) -> str:
    """Return in one line why a store failed, and what to try, without secrets of its address."""
    why = why_unusable(fault, uri) if uri.startswith("http") else None
    return without_secrets(reason(fault) if why is None else why, uri)


def reason(fault: BaseException) -> str:
    """Return in one line why MLflow failed."""
    plain = isinstance(fault, OSError) and fault.filename is None and fault.strerror  # without "[Errno 11]"
    lines = [
        line for line in (plain or str(fault)).strip().splitlines() if not line.startswith(SQLALCHEMY_ASIDE)
    ]
    text = lines[0] if lines else type(fault).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


def _is_address(uri: str) -> bool:
    try:
        address = urlsplit(uri)
        return bool(address.hostname) and (address.port is None or address.port > 0)
    except ValueError:  # a port that is no number, an unclosed bracket
        return False


def _reach(uri: str) -> None:
    """Fail at once where no database server listens; MLflow would try again for almost two minutes."""
    address = urlsplit(uri)
    port = PORTS.get(address.scheme.partition("+")[0])
    if port is not None and address.hostname:
        socket.create_connection((address.hostname, address.port or port), timeout=REACH_SECONDS).close()


def _client(uri: str) -> MlflowClient:
    from mlflow.tracking import MlflowClient

    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        for name in ("mlflow", "alembic"):  # both print tracebacks of errors that are handled here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    return MlflowClient(uri)


def _check_answers(client: MlflowClient) -> None:
    """Ask for something that MLflow alone answers: any server that speaks JSON seems to have no experiments.

    Raises:
        RuntimeError: it is not MLflow.
    """
    if not client.search_experiments(max_results=1) and client.get_experiment_by_name(uuid.uuid4().hex):
        raise RuntimeError("it has an experiment of any name")


def _prepare_database(store: Store, database: Path) -> None:
    """Make the database whole or not at all: one that Ctrl-C left half made would never open again."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{database}.lock")):
        if database.exists():
            _check_database(store, database)
            return
        unfinished = database.with_name(f"{database.name}.new")
        unfinished.unlink(missing_ok=True)
        _make_database(unfinished, store.artifacts)
        os.replace(unfinished, database)


def _make_database(database: Path, artifacts: Path | None) -> None:
    address = sqlite_address(database)
    _client(address)  # imports MLflow quietly
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    root = None if artifacts is None else artifacts.absolute().as_uri()
    SqlAlchemyStore(address, root).engine.dispose()


def _check_database(store: Store, database: Path) -> None:
    """Find a damaged file at once (MLflow tries for minutes), and migrate our own from an older MLflow."""
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        connection.execute("select count(*) from sqlite_master").fetchone()
    if store.given:
        return
    try:
        _client(store.uri).search_experiments(max_results=1)
    except Exception as fault:
        if "out-of-date" not in str(fault):
            raise
        upgrade = [sys.executable, "-m", "mlflow", "db", "upgrade", store.uri]
        # of a session of its own: a signal to the group must not leave it half done
        if subprocess.run(upgrade, capture_output=True, start_new_session=True).returncode != 0:
            raise RuntimeError("another MLflow made the database; move it away for a new one") from fault
