"""Files of one JSON line after another: read whole, added to durably. A line that was cut off is nobody's yet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ablations.errors import RecordError
from ablations.running.machine.durable import append_durably, not_written
from ablations.running.record.schema import NewerSchema, check_schema
from senet_core.bounded import MIB, open_plain, read_bounded

Value = TypeVar("Value")

SCHEMA = 1
MOST_BYTES = 256 * MIB
"""Limit of such a file: about a million lines."""

TORN_SUFFIX = ".torn"
"""What a line that was cut off is moved to: the name of its file, and this."""

_PIECE = 2**16


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
        content = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RecordError(f"cannot read {what} {path}: {error.strerror or error}") from error
    values = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], 1):
        try:
            values.append(parse(line))
        except NewerSchema as error:  # noqa: PERF203  (names the line)
            raise RecordError(f"{path}, line {number}: {error}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RecordError(
                f"{path}, line {number} is corrupt: {error}; correct or remove that line"
            ) from error
    return tuple(values)


def content_of(line: str | bytes) -> dict[str, Any]:
    """Return the fields of a line, which says its schema where that is not the first.

    Raises:
        NewerSchema: a newer version wrote it.
        ValueError: it is no JSON object.
    """
    content = json.loads(line)
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    check_schema(content.pop("schema", SCHEMA), SCHEMA)
    return content


def add_line(path: Path, what: str, line: str) -> None:
    """Add a line durably; one that was cut off is set aside first. The caller holds the file's lock.

    Raises:
        DiskError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        set_cut_off_aside(path)
        append_durably(path, f"{line}\n".encode())
    except OSError as error:
        raise not_written(f"{what} {path}", error, chosen=False) from error


def cut_off(path: Path) -> int:
    """Return how many bytes follow the last line feed of a file: of a line whose writer died, or writes just now.

    0 for what is no such file, or larger than any of them.
    """
    try:
        with open_plain(path) as file:  # from its end, as a line is added under a lock that others wait for
            start = size = file.seek(0, os.SEEK_END)
            while start > 0 and size <= MOST_BYTES:
                length = min(_PIECE, start)
                start -= length
                file.seek(start)
                place = file.read(length).rfind(b"\n")
                if place >= 0:
                    return size - start - place - 1
    except OSError:
        return 0
    return size if size <= MOST_BYTES else 0


def set_cut_off_aside(path: Path) -> Path | None:
    """Move what follows the last line feed to a file beside it; nobody has acted upon it. The caller holds the lock.

    Returns:
        The file that now holds it, or None where the last line was whole.

    Raises:
        OSError: the files cannot be written.
    """
    torn = cut_off(path)
    if not torn:
        return None
    whole, aside = path.stat().st_size - torn, path.with_name(path.name + TORN_SUFFIX)
    with open_plain(path) as file:
        file.seek(whole)
        append_durably(aside, file.read(torn) + b"\n")
    os.truncate(path, whole)
    return aside
