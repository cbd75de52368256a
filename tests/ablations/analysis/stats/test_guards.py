"""Verdicts that failed runs or runs far off take back, and those that stand beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ablations.analysis.stats.compare import compare
from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.family import compare_family
from tests.ablations.analysis.stats.test_verdicts import frame

NAN = math.nan
SEEDS = np.arange(14)
BASE = 9 + 0.1 * np.sin(SEEDS)
BETTER = BASE - 1 + 0.05 * np.cos(3 * SEEDS)


def one(variant: np.ndarray, base: np.ndarray = BASE, margin: float = 0.2) -> Comparison:  # type: ignore[type-arg]
    [found] = compare(frame(base=base, variant=variant), "base", margin=margin)
    return found


def without(values: np.ndarray, *seeds: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.where(np.isin(SEEDS, seeds), NAN, values)


def test_a_variant_that_loses_half_of_its_runs_is_not_better() -> None:
    assert one(BETTER).reading.words == "better"
    found = one(without(BETTER, 0, 1, 2, 3, 4))
    assert found.reading.verdict == "undetermined"
    assert found.reading.words == "undetermined (better without 5 runs without a result)"
    assert found.ranks is not None
    assert (found.ranks.lost, found.ranks.won) == (5, 0)
    assert found.more_seeds is None  # it does not wait for more of the same


def test_better_stands_where_it_holds_with_the_failed_run_as_the_worst() -> None:
    found = one(without(BETTER, 3))
    assert found.reading.verdict == "better"
    assert found.reading.words == "better (also with 1 run without a result counted as the worst)"
    assert found.ranks is not None
    assert found.ranks.p <= 0.05


def test_a_baseline_that_fails_is_not_called_the_better_one() -> None:
    found = one(BASE, without(BETTER, 0, 1, 2, 3, 4))
    assert (found.difference.mean or 0) > 0
    assert found.reading.words == "undetermined (worse without 0 runs, and 5 of base, without a result)"


def test_failures_of_the_worse_side_stand_beside_its_verdict() -> None:
    found = one(without(BASE + 1 + 0.05 * np.cos(3 * SEEDS), 0, 1))
    assert found.reading.verdict == "worse"
    assert found.reading.words == "worse (2 runs without a result)"


def test_equivalence_without_the_failed_runs_is_not_equivalence() -> None:
    same = BASE + 0.01 * np.cos(3 * SEEDS)
    assert one(same).reading.verdict == "equivalent"
    assert (
        one(without(same, 0, 1)).reading.words == "undetermined (equivalent without 2 runs without a result)"
    )
    both = one(without(same, 0), without(BASE, 0))
    assert both.reading.verdict == "equivalent"


def test_a_seed_that_the_frame_lacks_counts_like_one_without_a_value() -> None:
    data = frame(base=BASE, variant=BETTER)
    cut = data[(data["variant"] == "base") | (data["seed"] >= 6)]
    [found] = compare(cut, "base")
    assert found.reading.verdict == "undetermined"


def test_a_run_that_has_not_ended_is_no_failure() -> None:
    data = frame(base=BASE, variant=without(BETTER, 7, 8, 9))
    data["ended"] = data["value"].notna()
    [found] = compare(data, "base")
    assert (found.reading.verdict, found.ranks) == ("better", None)


@pytest.mark.parametrize("seeds", [3, 10])
def test_a_row_that_collapses_now_and_then_is_not_read_by_the_t_test(seeds: int) -> None:
    noise = np.random.default_rng(1)
    base = noise.normal(37, 0.5, seeds)
    rows = {f"v{i}": base + noise.normal(0.2, 0.4, seeds) for i in range(5)}
    collapsing = base + 12 + noise.normal(0, 0.3, seeds)
    collapsing[-1] += 20  # as 49.3, 49.0, 58.7
    found = {c.variant: c for c in compare(frame(base=base, relu=collapsing, **rows), "base", margin=0.2)}
    shape = found["relu"].shape
    assert shape is not None
    assert shape.collapses == 1
    assert found["relu"].reading.verdict in ("undetermined", "worse")
    if found["relu"].reading.verdict == "worse":
        assert shape.skew_p is not None
        assert shape.skew_p <= 0.05 / 6


def test_equal_differences_but_one_are_no_leap() -> None:
    found = one(np.array([90.1, 89.8, 90.2]), np.array([91.2, 91.0, 91.4]))
    assert found.reading.verdict == "better"
    assert found.shape is not None
    assert found.shape.ordinary


def test_runs_without_a_common_seed_are_compared_by_welchs_test() -> None:
    data = frame(base=np.append(BASE, [NAN] * 12), variant=np.append([NAN] * 14, np.resize(BETTER, 12)))
    [found] = compare(data, "base", margin=0.2)
    mine, base = np.resize(BETTER, 12), BASE
    oracle = stats.ttest_ind(mine, base, equal_var=False)
    assert found.difference.t_p == pytest.approx(oracle.pvalue)
    assert (found.difference.lo, found.difference.hi) == pytest.approx(tuple(oracle.confidence_interval()))
    assert (found.paired, found.correction, found.ranks) == (False, "Holm", None)
    assert found.reading.verdict == "better"
    low = stats.ttest_ind(mine, base - 0.2, equal_var=False, alternative="greater").pvalue
    high = stats.ttest_ind(mine, base + 0.2, equal_var=False, alternative="less").pvalue
    assert found.p_tost == pytest.approx(max(low, high))


def bits(errors: np.ndarray, images: int = 400, seed: int = 0) -> dict[int, np.ndarray]:  # type: ignore[type-arg]
    """Outcomes whose errors are these, image by image as hard as drawn once for all runs."""
    generator = np.random.default_rng(seed)
    hard = generator.random(images)
    found = {}
    for place, error in enumerate(errors):
        order = np.argsort(hard + generator.normal(0, 0.1, images))
        wrong = np.zeros(images, dtype=bool)
        wrong[order[: round(images * error / 100)]] = True
        found[place] = ~wrong
    return found


def test_verdicts_rest_on_images_where_outcomes_are_known_and_on_seeds_where_that_is_asked() -> None:
    outcomes = {"base": bits(BASE), "variant": bits(BASE + 2, seed=1)}
    values = {
        name: [100 * (1 - right.mean()) for right in by_seed.values()] for name, by_seed in outcomes.items()
    }
    data, pairs = frame(**values), [("variant", "base")]
    [new] = compare_family(data, pairs, Rules(margin=0.2), outcomes)
    [old] = compare_family(data, pairs, Rules(margin=0.2, rests_on="seeds"), outcomes)
    assert (new.rests_on, old.rests_on, new.correction, old.correction) == (
        "images",
        "seeds",
        "Holm",
        "max-T",
    )
    assert new.crossed is not None
    assert (new.difference.lo, new.difference.hi) == (new.crossed.lo, new.crossed.hi)
    assert new.over_seeds == (old.difference.lo, old.difference.hi)
    assert new.p_corrected == new.crossed.p
    assert new.difference.mean == pytest.approx(new.crossed.mean)


def test_one_run_without_outcomes_lets_all_verdicts_rest_on_seeds() -> None:
    outcomes = {"base": bits(BASE), "variant": bits(BASE + 2, seed=1)}
    data = frame(base=BASE, variant=BASE + 2)
    del outcomes["variant"][4]
    [found] = compare_family(data, [("variant", "base")], Rules(), outcomes)
    assert (found.rests_on, found.crossed) == ("seeds", None)


def test_a_comparison_that_the_test_set_cannot_settle_says_so() -> None:
    outcomes = {"base": bits(BASE, 60), "variant": bits(BASE + 1, 60, seed=1)}
    values = {
        name: [100 * (1 - right.mean()) for right in by_seed.values()] for name, by_seed in outcomes.items()
    }
    [found] = compare_family(frame(**values), [("variant", "base")], Rules(margin=0.2), outcomes)
    assert found.reading.verdict == "undetermined"
    assert found.beyond_test_set
    assert found.more_seeds is None
