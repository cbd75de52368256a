"""Checks of the fields of an experiment: what was given, what is accepted, the nearest match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ablations.errors import StudyError
from senet_core.errors import unknown


def check_fields(
    what: str, given: Mapping[str, Any], known: Iterable[str], needed: Iterable[str] = ()
) -> None:
    """Refuse unknown fields, and missing ones.

    Args:
        what: of what, such as "experiment".
        given: as the study file has it.
        known: that there are.
        needed: that must be there.

    Raises:
        StudyError: with the first that is wrong.
    """
    names = tuple(known)
    for field in given:
        if field not in names:
            raise unknown(f"field of {what}", str(field), names, error=StudyError)
    for field in needed:
        if field not in given:
            raise StudyError(f"{what}.{field} is missing")


def text_field(what: str, value: object) -> str:
    """Return a text of one line.

    Raises:
        StudyError: it is none.
    """
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise StudyError(f"{what} must be a text of one line, got {value!r}")
    return value


def texts_field(what: str, value: object) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one.

    Raises:
        StudyError: it is none.
    """
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise StudyError(f"{what} must be a list of texts, got {value!r}")
    return tuple(text_field(f"{what} {number}", text) for number, text in enumerate(value, 1))


def mapping_field(what: str, value: object) -> dict[str, Any]:
    """Return a mapping with texts as names.

    Raises:
        StudyError: it is none.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise StudyError(f"{what} must be a mapping of names, got {value!r}")
    return dict(value)


def choice_field(what: str, value: object, choices: Iterable[str]) -> str:
    """Return one of some texts.

    Raises:
        StudyError: it is none of them.
    """
    names = tuple(choices)
    if value not in names:
        raise unknown(what, str(value), names, error=StudyError)
    return str(value)
