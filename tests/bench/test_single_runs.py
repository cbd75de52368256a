"""How often one run of each row would have said the opposite."""

from __future__ import annotations

from bench.studies.single_runs import page


def test_signs_are_counted_over_pairs_of_different_seeds() -> None:
    base = {0: 10.0, 1: 12.0, 2: 11.0}
    rows = {"better": {0: 9.0, 1: 12.5, 2: 10.0}, "plain": {0: 20.0, 1: 22.5, 2: 21.0}}
    text = page("SE", {"SE": base, **rows})
    # across seeds, 9.0 is below 12 and 11; 12.5 above 10 and 11; 10.0 is no lower than 10 and below 12
    assert "| better | −0.50 [−2.65, +1.65] | −10.67 [−12.10, −9.23] | 3 of 6 |" in text
    assert "| plain | +10.17 [+9.45, +10.88] |  | 0 of 6 |" in text
    assert "have 0 of 6 in rows whose interval leaves out 0, and 3 of 6 in the others" in text


def test_a_row_that_lacks_a_seed_is_left_out() -> None:
    assert "late" not in page("SE", {"SE": {0: 1.0, 1: 2.0}, "late": {0: 1.5}, "whole": {0: 2.0, 1: 3.0}})
