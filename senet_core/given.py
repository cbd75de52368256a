"""Checks of what a caller gives, which Python takes without a word: one line says what was given and what is taken."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real

from senet_core.errors import UserError


def check_whole_number(name: str, value: object, least: int = 1) -> None:
    """Refuse what is no whole number of at least `least`; `True` is none, nor is 2.0.

    Raises:
        UserError: it is not.
    """
    if type(value) is not int or value < least:
        raise UserError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_above_zero(name: str, value: object) -> None:
    """Refuse what is no finite number above 0; a text that reads like one is none.

    Raises:
        UserError: it is not.
    """
    number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not (math.isfinite(number) and number > 0):
        raise UserError(f"{name} must be a number above 0, got {value!r}")


def list_of(name: str, value: object) -> tuple[object, ...]:
    """Return the entries of a list; one text is no list of its letters.

    Raises:
        UserError: it is a text, or cannot be gone through.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise UserError(f"{name} is a list, got {value!r}; of one: [{value!r}]")
    return tuple(value)
