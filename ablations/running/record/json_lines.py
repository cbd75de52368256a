"""Files of one JSON line after another: read whole, added to durably. A line that was cut off is nobody's yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ablations.errors import RecordError
from ablations.running.machine.durable import append_durably, not_written

Value = TypeVar("Value")


def read_lines(path: Path, what: str, parse: Callable[[bytes], Value]) -> tuple[Value, ...]:
    """Return what the complete lines of a file say; nothing where there is no file.

    Args:
        path: the file.
        what: it is, for messages: "the proposals".
        parse: reads a line; raises ValueError, KeyError or TypeError where it is not as it should be.

    Raises:
        RecordError: it cannot be read, or a complete line is corrupt.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RecordError(f"cannot read {what} {path}: {error.strerror or error}") from error
    values = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], 1):
        try:
            values.append(parse(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:  # noqa: PERF203  (names the line)
            raise RecordError(
                f"{path}, line {number} is corrupt: {error}; correct or remove that line"
            ) from error
    return tuple(values)


def add_line(path: Path, what: str, line: str) -> None:
    """Add a line durably, in the place of one that was cut off; the caller holds the file's lock.

    Raises:
        DiskError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_cut_off(path)
        append_durably(path, f"{line}\n".encode())
    except OSError as error:
        raise not_written(f"{what} {path}", error, chosen=False) from error


def cut_off(path: Path) -> int:
    """Return how many bytes follow the last line feed of a file: of a line whose writer died, or writes just now."""
    try:
        content = path.read_bytes()
    except OSError:
        return 0
    return len(content) - content.rfind(b"\n") - 1


def remove_cut_off(path: Path) -> None:
    """Remove what follows the last line feed; nobody has acted upon it."""
    torn = cut_off(path)
    if torn:
        os.truncate(path, path.stat().st_size - torn)
