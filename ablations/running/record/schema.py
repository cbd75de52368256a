"""Which form a file was written in: that of a newer version is not damaged, and nothing of it is to be removed."""

from __future__ import annotations


class NewerSchema(ValueError):
    """It was written by a newer version, which reads it; its text says what to do."""


def check_schema(found: object, known: int) -> None:
    """Compare the schema of what is read with the one that this version knows.

    Raises:
        NewerSchema: it is a later one.
        ValueError: it is none.
    """
    if type(found) is int and found > known:
        raise NewerSchema(
            f"a newer version wrote it: its schema is {found}, this version reads {known}; it is not damaged, remove"
            " nothing: install that version"
        )
    if type(found) is not int or found != known:
        raise ValueError(f"its schema is {found!r}, this version reads {known}")
