"""The words of a comparison claim no more than it shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.analysis.stats.verdict import limits, read


@pytest.mark.parametrize("n", [0, 1, 2])
def test_below_three_seeds_nothing_is_claimed(n: int) -> None:
    assert read(-5.0, n, 0.0).words == f"no claim possible at n = {n}"


@given(st.floats(-9, 9), st.integers(3, 30), st.floats(0.0500001, 1))
def test_what_is_not_significant_is_undetermined(difference: float, n: int, p: float) -> None:
    assert read(difference, n, p).verdict == "undetermined"


def test_what_is_significant_has_a_direction() -> None:
    assert (read(-0.3, 5, 0.05).verdict, read(-0.3, 5, 0.05).words) == ("better", "better")
    assert (read(0.3, 5, 0.01).verdict, read(0.3, 5, 0.01).words) == ("worse", "worse")
    assert read(0.3, 5, 0.01, lower_is_better=False).verdict == "better"


def test_without_a_test_nothing_is_settled() -> None:
    assert read(0.3, 5, None).verdict == "undetermined"


@pytest.mark.parametrize(
    ("n", "family", "said"),
    [
        (1, 3, "With 1 common seed no verdict is possible"),
        (2, 3, "With 2 common seeds no verdict is possible"),
        (4, 1, "by the sign-flip test, whose smallest possible p is 0.125"),
        (5, 1, "by the sign-flip test, whose smallest possible p is 0.0625"),
        (6, 12, "smallest possible is 0.0312, times 12 is 0.38"),
        (6, 1, "suits screening"),
    ],
)
def test_few_seeds_have_limits(n: int, family: int, said: str) -> None:
    assert said in " ".join(limits([n, n + 2], family))


def test_enough_seeds_have_none() -> None:
    assert limits([59, 60], 12) == ()
    assert len(limits([30, 32], 12)) == 1  # one row that collapses makes 6 % of such reports wrong
    [said] = limits([10, 12], 12)
    assert "Where none of 10 collapsed, up to 26 % of a row's runs may" in said
    assert limits([], 0) == ()
