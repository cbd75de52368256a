"""How often one run of each row would have said the opposite."""

from __future__ import annotations

from single_runs import page


def test_signs_are_counted_seed_by_seed_and_across_seeds() -> None:
    base = {0: 10.0, 1: 12.0, 2: 11.0}
    text = page(
        "SE", {"SE": base, "better": {0: 9.0, 1: 12.5, 2: 10.0}, "worse": {0: 20.0, 1: 22.0, 2: 21.0}}
    )
    # across seeds, 9.0 is below 12 and 11; 12.5 above 10 and 11; 10.0 is no lower than 10 and below 12
    assert "| better | -1.00 | +0.50 | -1.00 | -0.50 | 1 of 3 | 3 of 6 |" in text
    assert "| worse | +10.00 | +10.00 | +10.00 | +10.00 | 0 of 3 | 0 of 6 |" in text
    assert "the other sign than the mean of all in 3 of 12 pairs." in text


def test_a_row_that_lacks_a_seed_is_left_out() -> None:
    assert "late" not in page("SE", {"SE": {0: 1.0, 1: 2.0}, "late": {0: 1.5}, "whole": {0: 2.0, 1: 3.0}})
