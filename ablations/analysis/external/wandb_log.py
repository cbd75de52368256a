"""The log that W&B writes of a run, run-ID.wandb, without W&B's package.

It is a log as LevelDB has it (blocks of 32 KiB, each record in pieces with a length and a kind), of records of protocol
buffers; in each, a few numbered fields are of use here (wandb/proto/wandb_internal.proto).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablations.analysis.external.folders import content_of_file
from senet_core.bounded import MIB
from senet_core.errors import UserError

MOST_BYTES = 256 * MIB
"""Limit of one log."""

_MAGIC = b":W&B"
_HEADER = 7
_BLOCK = 32 * 1024
_PIECE = struct.Struct("<IHB")  # checksum, length, kind
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT = 2, 3, 5, 17, 18
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


@dataclass
class RunLog:
    """What a log says.

    Attributes:
        settings: the configuration, by its top names.
        named: name, group and kind of job, where there are such.
        summary: what counts at the end, as the script or W&B has it.
        history: by name, step and value of each row.
        exit_code: None where the run has not ended.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    exit_code: int | None = None


def read_log(path: Path) -> RunLog:
    """Read the log of a run; one that was cut off says what it says until there.

    Raises:
        UserError: it cannot be read, or is no such log.
    """
    content = content_of_file(path, MOST_BYTES)
    if not content.startswith(_MAGIC):
        raise UserError(f"{str(path)!r} is no log of W&B: it does not begin with :W&B")
    log = RunLog()
    try:
        for record in _records(content):
            for number, value in _fields(record):
                if isinstance(value, bytes):
                    _take(log, number, value)
    except (ValueError, IndexError, struct.error, RecursionError) as error:
        raise UserError(f"{str(path)!r} is damaged: {error}") from error
    return log


def _take(log: RunLog, number: int, content: bytes) -> None:
    if number == _CONFIG:
        _update(log.settings, content)
    elif number == _SUMMARY:
        _update(log.summary, content)
    elif number == _HISTORY:
        _add_row(log, content)
    elif number == _EXIT:
        log.exit_code = next(
            (value for key, value in _fields(content) if key == 1 and isinstance(value, int)), 0
        )
    elif number == _RUN:
        for key, value in _fields(content):
            if isinstance(value, bytes):
                if key == 4:
                    _update(log.settings, value)
                elif key in (6, 7, 8):
                    name = {6: "group", 7: "job_type", 8: "run_name"}[key]
                    log.named[name] = value.decode()


def _update(into: dict[str, Any], content: bytes) -> None:
    """Apply the changes of a record: items that are new, and names that are gone."""
    for number, item in _fields(content):
        if number in (1, 2) and isinstance(item, bytes):
            names, value = _item(item)
            at = into
            for name in names[:-1]:
                inner = at.setdefault(name, {})
                at = inner if isinstance(inner, dict) else at
            if number == 1:
                at[names[-1]] = value
            else:
                at.pop(names[-1], None)


def _add_row(log: RunLog, content: bytes) -> None:
    step = 0
    row: dict[str, Any] = {}
    for number, value in _fields(content):
        if number == 1 and isinstance(value, bytes):
            names, one = _item(value)
            row[".".join(names)] = one
        elif number == 2 and isinstance(value, bytes):
            step = next((n for key, n in _fields(value) if key == 1 and isinstance(n, int)), 0)
    step = row.get("_step", step)
    for name, one in row.items():
        if not name.startswith("_") and isinstance(step, int):
            log.history.setdefault(name, []).append((step, one))


def _item(content: bytes) -> tuple[list[str], Any]:
    """Return the name of an item, which may be one inside others, and its value."""
    names: list[str] = []
    key, value = "", None
    for number, inner in _fields(content):
        if not isinstance(inner, bytes):
            continue
        if number == 1:
            key = inner.decode()
        elif number == 2:
            names.append(inner.decode())
        elif number == 16:
            value = json.loads(inner)
    return ([key] if key else names) or [""], value


def _records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a log; the end of one that is being written, or was cut off, is left out."""
    at = _HEADER
    pending: list[bytes] = []
    while at + _PIECE.size <= len(content):
        left = _BLOCK - at % _BLOCK
        if left < _PIECE.size:
            at += left  # the rest of a block is filled up
            continue
        _, length, kind = _PIECE.unpack_from(content, at)
        at += _PIECE.size
        piece = content[at : at + length]
        if len(piece) < length:
            return
        at += length
        if kind in (_FULL, _FIRST):
            pending = [piece]
        elif kind in (_MIDDLE, _LAST):
            pending.append(piece)
        else:
            raise ValueError(f"a piece of kind {kind} at byte {at}")
        if kind in (_FULL, _LAST):
            yield b"".join(pending)


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of the fields of a message in protocol buffers' form."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield number, value
        elif kind == _BYTES:
            length, at = _varint(content, at)
            if at + length > len(content):
                raise ValueError("a field is longer than its record")
            yield number, content[at : at + length]
            at += length
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        byte = content[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number of more than ten bytes")
