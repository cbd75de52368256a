"""Counted nouns."""

from __future__ import annotations

import pytest

from senet_core.words import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 trials"),
        (1, "1 trial"),
        (2, "2 trials"),
        (1200, "1,200 trials"),
        (1.0, "1 trial"),
        (0.5, "0.5 trials"),
    ],
)
def test_a_number_decides_the_form_of_its_noun(number: float, said: str) -> None:
    assert counted(number, "trial") == said


def test_a_plural_of_its_own() -> None:
    assert (counted(1, "study", "studies"), counted(2, "study", "studies")) == ("1 study", "2 studies")
