"""Errors by class and agreement, on tables worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.outcomes.agreement import agreement, agreement_of_seeds, always_missed
from ablations.analysis.stats.outcomes.by_class import class_differences
from ablations.analysis.stats.outcomes.crossed import crossed_difference
from ablations.analysis.stats.paired import paired_difference
from senet_core.errors import UserError

LABELS = np.array([0, 0, 0, 0, 2, 2])
BASELINE = np.array([[1, 1, 0, 0, 1, 1], [1, 0, 0, 0, 1, 1]], dtype=bool)
VARIANT = np.array([[1, 1, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0]], dtype=bool)


def test_a_gain_in_one_class_and_a_loss_in_another_are_told_apart() -> None:
    first, last = class_differences(VARIANT, BASELINE, LABELS)
    assert (first.label, last.label) == (0, 2)  # no image is of class 1
    assert first.difference.mean == pytest.approx(25 - 62.5)
    assert first.baseline == pytest.approx(62.5)
    assert last.difference.mean == pytest.approx(75)
    assert last.baseline == 0
    together = crossed_difference(VARIANT, BASELINE).mean
    assert together == pytest.approx((4 * first.difference.mean + 2 * last.difference.mean) / 6)


@pytest.mark.parametrize("members", [1, 3])
def test_each_interval_is_that_of_its_class_with_the_share_of_all(members: int) -> None:
    found = class_differences(VARIANT, BASELINE, LABELS, members=members)
    for one in found:
        ours, theirs = VARIANT[:, one.label == LABELS], BASELINE[:, one.label == LABELS]
        level = 1 - 0.05 / (2 * members)
        alone = crossed_difference(ours, theirs, confidence=level)
        if alone.floor:
            assert one.difference.error == alone.error
            assert one.difference.lo == (None if alone.lo is None else max(-100, alone.lo))
            continue
        seeds = paired_difference(100 * (~ours).mean(1), 100 * (~theirs).mean(1), confidence=level)
        assert seeds.lo is not None
        assert seeds.hi is not None
        assert (one.difference.lo, one.difference.hi) == (max(-100, seeds.lo), min(100, seeds.hi))
        assert one.difference.p == pytest.approx(seeds.p)


def test_images_without_a_spread_of_their_own_take_nothing_from_the_seeds() -> None:
    """Six seeds have five degrees of freedom; of one or two, an interval is as wide as the scale."""
    draw = np.random.default_rng(0)
    labels, hardness = np.arange(2000) % 40, draw.normal(size=2000)
    one, other = (hardness + 0.7 * draw.normal(size=(6, 2000)) < 1.2 for _ in range(2))
    found = class_differences(one, other, labels, members=3)
    errors = [d.difference.error for d in found if d.difference.error is not None]
    assert len(errors) == 40
    assert max(error.half_width(0.95) / error.se for error in errors) <= stats.t.ppf(0.975, 5) + 1e-6


def test_intervals_hold_together_and_holm_finds_no_class_by_chance_too_often() -> None:
    """Ten classes, four seeds, no difference: wrong in at most about one study in twenty."""
    draw = np.random.default_rng(5)
    labels, missed, named = np.arange(400) % 10, 0, 0
    for _ in range(300):
        hardness = draw.normal(size=400)
        one, other = (hardness + 0.7 * draw.normal(size=(4, 400)) < 1.2 for _ in range(2))
        found = class_differences(one, other, labels)
        ends = [(d.difference.lo, d.difference.hi) for d in found]
        missed += any(lo is not None and hi is not None and not lo <= 0 <= hi for lo, hi in ends)
        named += any(p is not None and p < 0.05 for p in holm([d.difference.p for d in found]))
    assert missed <= 24
    assert named <= 24


@pytest.mark.parametrize("labels", [LABELS[:-1], LABELS - 1, LABELS[None]])
def test_labels_of_other_images_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(UserError, match="needs a class from 0"):
        class_differences(VARIANT, BASELINE, labels)


def test_rows_agree_where_both_are_right_or_both_are_wrong() -> None:
    assert agreement(VARIANT, BASELINE) == pytest.approx((4 + 2) / 12)
    assert agreement(VARIANT, VARIANT) == 1
    assert agreement(VARIANT, ~VARIANT) == 0
    with pytest.raises(UserError, match="need one shape"):
        agreement(VARIANT, BASELINE[:1])


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_seeds_of_one_row_agree_as_all_their_pairs_do(seeds: int) -> None:
    right = np.random.default_rng(seeds).random((seeds, 50)) < 0.8
    pairs = [(right[a] == right[b]).mean() for a in range(seeds) for b in range(a)]
    assert agreement_of_seeds(right) == pytest.approx(np.mean(pairs))
    assert agreement_of_seeds(right[:1]) is None


def test_what_is_always_missed_is_what_every_seed_of_every_row_misses() -> None:
    assert always_missed([VARIANT, BASELINE]).tolist() == [False, False, False, True, False, False]
    assert always_missed([VARIANT, BASELINE[:1]]).tolist() == [False, False, False, True, False, False]
    assert always_missed([BASELINE]).tolist() == [False, False, True, True, False, False]
