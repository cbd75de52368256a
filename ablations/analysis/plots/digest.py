"""Digests of the numbers that a picture shows, so that it can be compared without drawing it again.

The bytes of a plot differ between versions of matplotlib and fonts; the numbers that were plotted do not. So every
plot carries a digest of them in its metadata, and a copy of it elsewhere carries it along.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from html import unescape
from io import BytesIO

from PIL import Image

DIGITS = 9
"""Significant digits of each plotted number that count: more than are seen, fewer than the order of a sum changes."""

_IN_SVG = re.compile(rb"<dc:description>(.*?)</dc:description>", re.DOTALL)
_IN_PDF = re.compile(rb"/Subject \((.*?)\)")
_MARK = re.compile(r"(?P<study>[^/]+)/(?P<plot>[^/ ]+) sha256:[0-9a-f]{32}")


def picture_mark(study: str, plot: str, data: object) -> str:
    """Return which plot of which study this is, with a digest of what it shows.

    Args:
        study: its name.
        plot: the plot's key.
        data: what was plotted: numbers, words and None in nested tuples, lists, mappings and dataclasses.
    """
    text = json.dumps(_plain(data), separators=(",", ":"), ensure_ascii=True)
    return f"{study}/{plot} sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def plot_of(mark: str) -> tuple[str, str] | None:
    """Return study and key of the plot that a mark names; None where it is no mark of ours."""
    found = _MARK.fullmatch(mark)
    return None if found is None else (found["study"], found["plot"])


def read_mark(picture: bytes, suffix: str) -> str | None:
    """Return the mark of a picture, None where it has none.

    Args:
        picture: the file's bytes.
        suffix: "svg", "png" or "pdf".
    """
    if suffix == "png":
        return _in_png(picture)
    found = (_IN_SVG if suffix == "svg" else _IN_PDF).search(picture)
    return None if found is None else unescape(found[1].decode("utf-8", "replace")).strip()


def _in_png(picture: bytes) -> str | None:
    try:
        with Image.open(BytesIO(picture), formats=("PNG",)) as image:
            told = image.info.get("Description")
    except (OSError, SyntaxError, ValueError, zlib.error):
        return None
    return told if isinstance(told, str) else None


def _plain(data: object) -> object:
    if data is None or isinstance(data, str | bool):
        return data
    if isinstance(data, int | float):
        return f"{data + 0.0:.{DIGITS}g}"
    if isinstance(data, Mapping):
        return [[str(key), _plain(value)] for key, value in data.items()]
    if isinstance(data, tuple | list):
        return [_plain(value) for value in data]
    if is_dataclass(data):
        return [_plain(getattr(data, field.name)) for field in fields(data)]
    raise TypeError(f"cannot say what a {type(data).__name__} shows")
