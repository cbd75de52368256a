"""Words that messages of both packages share."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 trial", "0 trials", "1,200 trials", "0.5 points".

    Args:
        number: whole numbers are shown exactly, others in six digits.
        noun: in the singular.
        plural: where it is not the noun and an s.
    """
    shown = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{shown} {noun if shown == '1' else plural or f'{noun}s'}"
