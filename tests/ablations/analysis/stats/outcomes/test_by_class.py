"""Errors by class and agreement, on tables worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.outcomes.agreement import agreement, always_missed
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


def by_seed(right: np.ndarray, first: int = 0) -> dict[int, np.ndarray]:
    return dict(enumerate(right, first))


def test_rows_agree_where_both_are_right_or_both_are_wrong() -> None:
    # seed 0 of the variant with seed 1 of the baseline, and the other way round
    assert agreement(by_seed(VARIANT), by_seed(BASELINE)) == pytest.approx((3 + 3) / 12)
    assert agreement(by_seed(VARIANT[:1]), by_seed(VARIANT[:1], first=1)) == 1
    assert agreement(by_seed(VARIANT[:1]), by_seed(~VARIANT[:1], first=1)) == 0
    with pytest.raises(UserError, match="need the same images"):
        agreement(by_seed(VARIANT), by_seed(BASELINE[:, :1]))


@pytest.mark.parametrize(("seeds", "others", "first"), [(2, 2, 0), (3, 2, 1), (7, 5, 4), (2, 3, 9)])
def test_all_pairs_of_runs_with_different_seeds_count_once(seeds: int, others: int, first: int) -> None:
    generator = np.random.default_rng(seeds)
    one = by_seed(generator.random((seeds, 50)) < 0.8)
    other = by_seed(generator.random((others, 50)) < 0.7, first)
    between = [(one[a] == other[b]).mean() for a in one for b in other if a != b]
    assert agreement(one, other) == pytest.approx(np.mean(between))
    within = [(one[a] == one[b]).mean() for a in one for b in one if a < b]
    assert agreement(one, one) == pytest.approx(np.mean(within))


def test_a_single_seed_agrees_with_nothing() -> None:
    assert agreement(by_seed(VARIANT[:1]), by_seed(BASELINE[:1])) is None
    assert agreement(by_seed(VARIANT[:1]), by_seed(VARIANT[:1])) is None


def test_what_is_always_missed_is_what_every_seed_of_every_row_misses() -> None:
    assert always_missed([VARIANT, BASELINE]).tolist() == [False, False, False, True, False, False]
    assert always_missed([VARIANT, BASELINE[:1]]).tolist() == [False, False, False, True, False, False]
    assert always_missed([BASELINE]).tolist() == [False, False, True, True, False, False]
