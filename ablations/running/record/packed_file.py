"""Files of packed values with a first line in JSON that says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ablations.running.record.schema import check_schema


def pack(header: Mapping[str, Any], packed: bytes) -> bytes:
    """Return the content of a file: `header`, which has `format` and `schema`, and behind its line feed the values."""
    return json.dumps(header).encode() + b"\n" + packed


def unpack(content: bytes, form: str, schema: int, *fields: str) -> tuple[list[Any], bytes]:
    """Return the fields of a file's first line, and the values behind it.

    Args:
        content: of the file.
        form: which `format` it must have.
        schema: the newest that is read.
        fields: the names of those that it must have beside `format` and `schema`; what they hold is not checked.

    Raises:
        NewerSchema: a newer version wrote it.
        ValueError: it is no such file.
    """
    first, _, packed = content.partition(b"\n")
    try:
        header = json.loads(first)
        given, written, *found = (header[name] for name in ("format", "schema", *fields))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("it does not begin as such a file does") from error
    if given != form:
        raise ValueError("it does not begin as such a file does")
    check_schema(written, schema)
    return found, packed
