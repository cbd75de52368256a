"""What the page of a probe was asked to show, in its request.json, with which the same page is made again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.machine.durable import not_written, write_durably
from senet_core.bounded import MIB, read_bounded

REQUEST = "request.json"


@dataclass(frozen=True)
class ProbeRequest:
    """What a page was asked to show.

    Attributes:
        rows: labels.
        classes: that are drawn; empty for four that are spread over all.
        formats: of the page.
    """

    rows: tuple[str, ...]
    classes: tuple[str, ...]
    formats: tuple[str, ...]

    def to_json(self) -> str:
        """Return the file's content."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def write_request(folder: Path, request: ProbeRequest) -> None:
    """Write it beside the page.

    Raises:
        UserError: it cannot be written.
        DiskError: the disk is full.
    """
    try:
        write_durably(folder / REQUEST, request.to_json().encode())
    except OSError as error:
        raise not_written(str(folder / REQUEST), error, chosen=True) from error


def read_request(folder: Path) -> ProbeRequest:
    """Read what the page in a folder was asked to show.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / REQUEST
    try:
        content = json.loads(read_bounded(path, MIB))
        parts = [content[name] for name in ("rows", "classes", "formats")]
        if not all(isinstance(part, list) and all(isinstance(word, str) for word in part) for part in parts):
            raise ValueError("not lists of words")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"cannot read {path}: {type(error).__name__}: {error}") from error
    rows, classes, formats = map(tuple, parts)
    return ProbeRequest(rows, classes, formats)
