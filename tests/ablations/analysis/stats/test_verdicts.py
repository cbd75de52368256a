"""Verdicts: equivalence, sizes of effects and forecasts, by hand, against statsmodels and pingouin, for any input."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from ablations.analysis.stats.compare import compare, compare_pairs
from ablations.analysis.stats.equivalence import MOST_SEEDS, largest_sd, tost_p
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import PairedDifference, paired_difference
from ablations.analysis.stats.tasks.aggregates import aggregate
from ablations.analysis.stats.verdict import limits, read
from senet_core.errors import UserError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its dependencies warn of is not ours
    import pingouin

EXACT = {"rel": 1e-9, "abs": 1e-9}
SAMPLES = [
    np.random.default_rng(seed).normal(0.1, 0.3, (2, n)) for seed, n in enumerate((3, 5, 6, 10, 20, 31))
]
VALUES = st.integers(-1000, 1000).map(lambda x: x / 100)
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=12)
MARGINS = st.floats(0.01, 5)


def frame(**columns: Any) -> pd.DataFrame:
    rows = [(v, seed, x) for v, values in columns.items() for seed, x in enumerate(values)]
    return pd.DataFrame(rows, columns=["variant", "seed", "value"])


def column(pairs: list[tuple[float, float]], place: int) -> np.ndarray[Any, Any]:
    return np.array([pair[place] for pair in pairs])


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"n={x.shape[1]}" for x in SAMPLES])
@pytest.mark.parametrize("margin", [0.05, 0.2, 1.0])
def test_equivalence_is_that_of_statsmodels_and_pingouin(sample: Any, margin: float) -> None:
    a, b = sample
    p = tost_p(paired_difference(a, b), margin)
    assert p == pytest.approx(ttost_paired(a, b, -margin, margin)[0], **EXACT)
    assert p == pytest.approx(float(pingouin.tost(a, b, bound=margin, paired=True)["pval"].iloc[0]), **EXACT)


@pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::RuntimeWarning"
)  # pingouin's interval of rho at n = 3
@pytest.mark.parametrize("sample", SAMPLES, ids=[f"n={x.shape[1]}" for x in SAMPLES])
def test_every_quantity_is_that_of_the_oracles(sample: Any) -> None:
    a, b = sample
    d = paired_difference(a, b)
    peer = pingouin.ttest(a, b, paired=True)
    assert d.t_p == pytest.approx(float(peer["p_val"].iloc[0]), **EXACT)
    assert d.t_p == pytest.approx(DescrStatsW(a - b).ttest_mean(0)[1], **EXACT)
    assert (d.lo, d.hi) == pytest.approx(DescrStatsW(a - b).tconfint_mean(), **EXACT)
    assert (d.lo, d.hi) == pytest.approx(stats.ttest_rel(a, b).confidence_interval(), **EXACT)
    assert d.rho == pytest.approx(float(pingouin.corr(a, b)["r"].iloc[0]), **EXACT)
    assert d.effect == pytest.approx(pingouin.compute_effsize(a - b, 0, eftype="hedges"), **EXACT)
    assert d.lower is not None
    count = int((a < b).sum())
    assert (d.lower.lo, d.lower.hi) == pytest.approx(
        proportion_confint(count, len(a), method="beta"), **EXACT
    )
    improvement = aggregate(frame(a=a, b=b).assign(task="t"), "b")[0].improvement
    assert improvement is not None
    assert improvement.value == pytest.approx(1 - pingouin.compute_effsize(a, b, eftype="cles"), **EXACT)


def test_corrections_are_those_of_statsmodels_and_pingouin() -> None:
    data = frame(**{f"v{i}": np.random.default_rng(i).normal(0.02 * i, 0.2, 7) for i in range(9)})
    found = compare(data, "v0", margin=0.3)
    assert {c.correction for c in found} == {"Holm"}  # below 8 pairs
    for raw, corrected in (
        ([c.difference.p for c in found], [c.p_corrected for c in found]),
        ([c.p_tost for c in found], [c.p_tost_corrected for c in found]),
    ):
        assert corrected == pytest.approx(list(multipletests(raw, method="holm")[1]), **EXACT)
        assert corrected == pytest.approx(list(pingouin.multicomp(raw, method="holm")[1]), **EXACT)


@given(PAIRS, MARGINS, MARGINS)
def test_equivalence_is_easier_within_a_wider_margin_and_has_no_sides(
    pairs: list[tuple[float, float]], margin: float, wider: float
) -> None:
    assume(margin < wider)
    a, b = column(pairs, 0), column(pairs, 1)
    here, there = paired_difference(a, b), paired_difference(b, a)
    p, p_wide = tost_p(here, margin), tost_p(here, wider)
    assert p is not None
    assert p_wide is not None
    assert 0 <= p_wide <= p <= 1
    assert tost_p(there, margin) == pytest.approx(p)


@given(PAIRS, MARGINS)
def test_equivalence_at_five_per_cent_is_a_ninety_per_cent_interval_inside_the_margin(
    pairs: list[tuple[float, float]], margin: float
) -> None:
    d = paired_difference(column(pairs, 0), column(pairs, 1), confidence=0.9)
    assume(d.lo is not None and d.hi is not None)
    assert d.lo is not None
    assert d.hi is not None
    assume(min(abs(margin - d.hi), abs(d.lo + margin)) > 1e-9)
    p = tost_p(d, margin)
    assert p is not None
    assert (p <= 0.05) == (-margin < d.lo and d.hi < margin)


@given(PAIRS, MARGINS)
def test_a_family_of_any_values_is_read_without_nan_and_mirrors(
    pairs: list[tuple[float, float]], margin: float
) -> None:
    a, b = column(pairs, 0), column(pairs, 1)
    [here] = compare(frame(a=a, b=b), "b", margin=margin)
    [there] = compare(frame(a=a, b=b), "a", margin=margin)
    other = {"better": "worse", "worse": "better"}
    assert there.reading.verdict == other.get(here.reading.verdict, here.reading.verdict)
    [flipped] = compare(frame(a=-a, b=-b), "b", margin=margin, lower_is_better=False)
    assert flipped.reading.verdict == here.reading.verdict
    assert here.better is not None
    assert flipped.better is not None
    assert flipped.better.value == pytest.approx(here.better.value)
    numbers = (
        here.p_tost,
        here.p_tost_corrected,
        here.difference.effect,
        here.better.value,
        here.better.lo,
        here.better.hi,
    )
    assert all(x is None or math.isfinite(x) for x in numbers)
    assert 0 <= here.better.lo <= here.better.value <= here.better.hi <= 1
    if here.more_seeds is not None:
        assert here.reading.verdict == "undetermined"
        assert 1 <= here.more_seeds <= MOST_SEEDS


def test_differences_that_are_all_equal_are_judged_by_counting() -> None:
    inside, outside = (paired_difference([1.1] * 6, [1.1 - d] * 6) for d in (0.0, 0.5))
    assert (tost_p(inside, 0.2), tost_p(outside, 0.2)) == (2**-6, 1.0)
    assert tost_p(paired_difference([1.0], [1.0]), 0.2) is None


@pytest.mark.parametrize(
    ("p", "p_tost", "words"),
    [
        (0.01, 0.9, "better"),
        (0.6, 0.01, "equivalent"),
        (0.01, 0.01, "equivalent (better by less than 0.2)"),
        (0.6, 0.6, "undetermined"),
        (None, None, "undetermined"),
    ],
)
def test_four_verdicts(p: float | None, p_tost: float | None, words: str) -> None:
    assert read(-0.05, 8, p, p_tost=p_tost, margin=0.2).words == words


@pytest.mark.parametrize("n", [0, 1, 2])
def test_below_three_seeds_there_is_no_verdict(n: int) -> None:
    assert read(0.0, n, 0.0, p_tost=0.0, margin=0.2).verdict == "no claim"


def test_few_seeds_say_which_verdicts_they_cannot_give() -> None:
    said = " ".join(limits([5, 5], 2, margin=0.2, spreads=[0.1, 0.4]))
    assert "At n = 5 “better” and “worse” are impossible by the sign-flip test" in said
    assert "“equivalent” (within 0.2) is out of reach for 1 of 2 comparisons" in said
    assert "with an sd of at most 0.16" in said
    assert "every comparison" in " ".join(limits([4], 1, margin=0.2, spreads=[3.0]))


def test_the_largest_spread_is_where_equivalence_begins() -> None:
    most = largest_sd(8, 0.2, 0.05)
    for factor, shown in ((0.999, True), (1.001, False)):
        d = PairedDifference(0.0, most * factor, 8, None, None, None, None)
        assert ((tost_p(d, 0.2) or 1) <= 0.05) == shown


def test_missing_seeds_are_left_out_in_pairs_and_counted() -> None:
    data = frame(
        a=[1.0, 2.0, math.nan, 4.0, 5.0], b=[1.1, math.nan, 3.0, 4.1, 5.2], c=[1.0, 2.0, 3.0, 4.0, 5.1]
    )
    pairs = {(c.variant, c.against): c.difference for c in compare_pairs(data, margin=0.5)}
    assert list(pairs) == [("b", "a"), ("c", "a"), ("c", "b")]
    assert [(d.n, d.only_variant, d.only_baseline) for d in pairs.values()] == [
        (3, 1, 1),
        (4, 1, 0),
        (4, 1, 0),
    ]


def test_all_pairs_are_one_family() -> None:
    data = frame(**{name: np.random.default_rng(i).normal(0, 1, 6) for i, name in enumerate("abcd")})
    found = compare_pairs(data, variants=["a", "c", "d"], margin=0.5)
    assert [c.p_corrected for c in found] == holm([c.difference.p for c in found])
    assert len(found) == 3


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_must_be_above_zero(margin: float) -> None:
    with pytest.raises(UserError, match="margin must be a number above 0, got"):
        compare(frame(a=[1.0, 2.0], b=[1.0, 2.0]), "a", margin=margin)
