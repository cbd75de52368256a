"""File names for tables and plots, from names of axes and tasks."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LONGEST_KEY = 40
_ENDINGS = ("-pairs", "-comparisons")  # of the files of other tables


def file_key(name: str) -> str:
    """Return a name in small letters, digits and hyphens, for file names."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "table"


def family_key(axis: str | None, task: str) -> str:
    """Return a file name of a study's table: of an axis, or of all rows, on one of several tasks or on the only one."""
    named = file_key(axis or "all")
    return f"{named}-{distinct_key(task)}" if task else named


def distinct_key(name: str) -> str:
    """Return a file name of a foreign name that no other name has: "cifar10", "cifar-10-1c9d2a7e" for "CIFAR 10".

    What is not small Latin letters, digits and hyphens as it stands gets a digest behind what of it can be read.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    if words == name and len(name) <= _LONGEST_KEY and not name.endswith(_ENDINGS):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words[:_LONGEST_KEY]}-{digest}".strip("-")
