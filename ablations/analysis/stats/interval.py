"""A number and its interval."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """A mean and its 95 % interval; the ends are None where there is none."""

    mean: float
    lo: float | None
    hi: float | None
