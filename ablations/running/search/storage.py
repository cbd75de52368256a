"""Optuna's storage: a SQLite file beside the record, or a database that several drivers share."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import RecordError, ToolMissing
from ablations.running.machine.addresses import shown_address, sqlite_address, without_secrets
from ablations.running.machine.durable import not_written, write_durably
from senet_core.bounded import KIB, read_bounded
from senet_core.errors import UserError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

FILE_NAME = "optuna.db"
_CONNECT_SECONDS = 10
_TABLES_LOCK = 0x5E0F7DB  # any number that no other program locks in the same database


def storage_url(given: str | None, results: Path) -> str:
    """Return the address of Optuna's storage: as given, else a file in the study's results folder.

    Raises:
        UserError: it is no address of a database.
    """
    if given is None:
        return sqlite_address(results / FILE_NAME)
    if not re.match(r"^[A-Za-z0-9_+]+://", given):
        raise UserError(
            "`storage` takes the address of a database, such as postgresql://USER@HOST/NAME;"
            f" got {shown_address(given)!r}"
        )
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", given)


def folder_name(results: Path) -> str:
    """Return the name of a study's results folder in a database that several folders may share; made at the first call.

    Raises:
        RecordError: what is kept cannot be read, or is no such name.
        DiskError: it cannot be kept.
    """
    path = results / ".storage-name"
    try:
        name = read_bounded(path, KIB).decode("ascii").strip()
        if not re.fullmatch(r"[0-9a-f]{8}", name):
            raise ValueError("it is not eight hexadecimal digits")
    except FileNotFoundError:
        name = uuid.uuid4().hex[:8]
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RecordError(
            f"cannot read the folder's name in Optuna's storage, {path}: {why}; remove it, and another is made"
        ) from error
    else:
        return name
    try:
        results.mkdir(parents=True, exist_ok=True)
        write_durably(path, f"{name}\n".encode())
    except OSError as error:
        raise not_written(f"the name of the folder {path}", error, chosen=False) from error
    return name


def is_shared(url: str) -> bool:
    """Return whether several drivers may use a storage at once."""
    return not url.startswith("sqlite")


def open_storage(url: str) -> BaseStorage:
    """Open Optuna's storage, and make its tables where there are none.

    Raises:
        ToolMissing: its driver is not installed.
        UserError: it cannot be reached.
    """
    import optuna
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        _ = make_url(url)
        shown = shown_address(url)
    except (ArgumentError, ValueError) as error:
        raise UserError("`storage` is no address of a database that can be read") from error
    arguments = {"connect_timeout": _CONNECT_SECONDS} if url.startswith("postgresql") else {}
    options = {"connect_args": arguments, **({"pool_pre_ping": True} if arguments else {})}
    try:
        with _alone_in_making_tables(url, options):
            return optuna.storages.RDBStorage(url, engine_kwargs=options)
    except ImportError as error:
        extra = ' (pip install "senet-ablations[postgres]")' if "psycopg" in str(error) else ""
        raise ToolMissing(
            f"Optuna's storage {shown} needs a driver that is not installed: {without_secrets(str(error), url)}{extra}"
        ) from error
    except (SQLAlchemyError, optuna.exceptions.OptunaError, OSError, RuntimeError) as error:
        raise UserError(
            f"Optuna's storage {shown} cannot be opened: {without_secrets(_one_line(error), url)}"
        ) from error


@contextmanager
def _alone_in_making_tables(url: str, options: dict[str, Any]) -> Iterator[None]:
    """Let one driver after another make Optuna's tables: two that make them at once fail on each other's."""
    if not url.startswith("postgresql"):
        yield
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(url, **options)
    try:
        with engine.connect() as connection:  # the lock ends with its connection, however its driver ends
            connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _TABLES_LOCK})
            yield
    finally:
        engine.dispose()


def close_storage(storage: BaseStorage) -> None:
    """Close a storage's connections."""
    storage.remove_session()
    engine = getattr(storage, "engine", None) or getattr(getattr(storage, "_backend", None), "engine", None)
    if engine is not None:
        engine.dispose()


class StorageFailed(Exception):
    """Optuna's storage failed in the middle of a search; proposals and record have everything."""


@contextmanager
def failing_softly() -> Iterator[None]:
    """Turn whatever a storage raises into `StorageFailed`."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.OptunaError, OSError, KeyError) as error:
        # KeyError: the study is not there any more
        raise StorageFailed(_one_line(error)) from error


def _one_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return " ".join(str(cause).split())[:300] or type(error).__name__
