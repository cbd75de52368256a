"""Ends a process by SIGKILL in the midst of writing a file of a wanted kind, with only a part of the bytes written.

`chaos.py` writes an order and names it in CHAOS_MIDWAY. Whatever Python process starts under it, the sweep, its workers
or those of Ray, arms itself by `sitecustomize.py`: it counts what it does to files of that kind, and ends at the wanted
count. The order is taken away by whoever ends first, so that one order ends one process.

Nothing here may import pathlib, which in Python 3.10 keeps the `open` that it finds when it is imported.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import re
import signal
from collections.abc import Callable
from typing import Any

VARIABLE = "CHAOS_MIDWAY"
TAKEN = ".taken-by-"
"""Stands in the name of an order by which a process has ended, before that one's number."""

_PARTIAL = r"(\.[0-9a-f]+\.partial)?$"
PATHS = {
    "record line": r"/trials\.jsonl$",
    "outcomes": r"/outcomes/",
    "weights": r"/weights/",
    "interim analyses": r"/looks\.jsonl$",
    "proposals": r"/proposals\.jsonl$",
    "forecast": r"/\.?forecast\.json" + _PARTIAL,
    "lease": r"/leases/",
    "progress": r"/running/[^/]*\.jsonl$",
    "checkpoint": r"/checkpoints/",
    "plan": r"/\.?plan\.json" + _PARTIAL,
    "report": r"/reports/",
    "MLflow": r"/mlflow\.db",
}
"""What paths of each kind look like."""

OF_WORKERS = ("progress", "checkpoint")
"""Kinds that workers write, and the sweep's own process only removes; that one writes the others."""

_CALLS = ("fsync", "replace", "rename", "link", "unlink", "remove", "truncate")
_CHANGES = ("INSERT", "UPDATE", "DELETE", "COMMIT")


def arm() -> None:
    """Follow the order that the environment names; do nothing where there is none, or it is taken already."""
    try:
        with open(os.environ.get(VARIABLE, ""), encoding="utf-8") as file:
            order = json.load(file)
    except OSError:
        return
    midway = _Midway(os.environ[VARIABLE], **order)
    midway.watch_calls()
    midway.watch_open()
    if order["kind"] == "MLflow":
        midway.watch_sqlite()


class _Midway:
    """One order.

    Args:
        order: its path.
        kind: of PATHS.
        event: at which the process ends, from 1.
        share: of the bytes that are written before, from 0 to 1; where nothing is written, below a half ends the
            process before the call and else after it.
    """

    def __init__(self, order: str, kind: str, event: int, share: float) -> None:
        self._order, self._path = order, re.compile(PATHS[kind])
        self._left, self._share = event, share

    def watch_calls(self) -> None:
        """Watch the functions of `os` that write, name and remove files."""
        write = os.write

        def written(descriptor: int, data: Any) -> int:
            if self._is_now(descriptor):
                write(descriptor, self._part(data))
                _end()
            return write(descriptor, data)

        os.write = written
        for name in _CALLS:
            setattr(os, name, self._watched(getattr(os, name)))

    def watch_open(self) -> None:
        """Watch what is written through the files that `open` returns."""
        real, midway = io.open, self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                if midway._is_now(self.name):
                    super().write(midway._part(data))
                    _end()
                return super().write(data)

        def opened(
            file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None,
            newline: Any = None, closefd: bool = True, opener: Any = None,
        ) -> Any:  # fmt: skip
            if set(mode).isdisjoint("wax") or "+" in mode or not self._matches(file):
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            raw = Raw(os.fspath(file), mode.replace("b", "").replace("t", ""), closefd, opener)
            if "b" in mode:
                return raw if buffering == 0 else io.BufferedWriter(raw)
            return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, newline, buffering == 1)

        builtins.open = io.open = opened

    def watch_sqlite(self) -> None:
        """Watch the statements that change a SQLite database."""
        import sqlite3.dbapi2

        connect = sqlite3.dbapi2.connect

        def connected(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(database, *args, **kwargs)

            def comes(statement: str) -> None:
                if statement.lstrip()[:6].upper() in _CHANGES and self._is_now(database):
                    _end()

            if self._matches(database):
                connection.set_trace_callback(comes)
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = connected

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            now = self._is_now(*args)
            if now and self._share < 0.5:
                _end()
            done = call(*args, **kwargs)
            if now:
                _end()
            return done

        return watched

    def _is_now(self, *files: Any) -> bool:
        """Count a change of files, named or open; return whether the process ends at it."""
        if not any(map(self._matches, files)):
            return False
        self._left -= 1
        if self._left:
            return False
        try:
            self._rename(self._order, f"{self._order}{TAKEN}{os.getpid()}")
        except OSError:  # another process was first
            return False
        return True

    _rename = staticmethod(os.rename)  # the one that is not watched

    def _matches(self, file: Any) -> bool:
        try:
            path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else os.fsdecode(file)
        except (OSError, TypeError):
            return False
        return self._path.search(os.path.abspath(path)) is not None

    def _part(self, data: Any) -> memoryview:
        whole = memoryview(data).cast("B")
        return whole[: int(self._share * len(whole))]


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
