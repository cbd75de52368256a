"""Crossed factors: against statsmodels, by hand, and what a fraction of a grid cannot show."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from ablations.analysis.stats.factorial.effects import Contrast, factorial
from ablations.planning.designs.pairwise import covering_rows
from senet_core.errors import UserError

LEVELS = {"squeeze": ["avg", "max", "none"], "act": ["sigmoid", "relu"], "ratio": ["4", "8", "16"]}
FORMULA = "value ~ C(seed) + (C(squeeze, Sum) + C(act, Sum) + C(ratio, Sum)) ** 2"


def study(
    seeds: int = 5, missing: float = 0.0, effects: dict[tuple[str, ...], float] | None = None
) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    rows = []
    for seed, cell in product(range(seeds), product(*LEVELS.values())):
        added = sum(effect for levels, effect in (effects or {}).items() if set(levels) <= set(cell))
        if generator.random() >= missing:
            rows.append((seed, *cell, 8 + 0.3 * seed + added + generator.normal(0, 0.1)))
    return pd.DataFrame(rows, columns=["seed", *LEVELS, "value"])


def found(contrasts: tuple[Contrast, ...], *levels: str) -> Contrast:
    return next(c for c in contrasts if c.levels == levels)


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_effects_and_f_tests_are_those_of_statsmodels(missing: float) -> None:
    data = study(missing=missing, effects={("max",): 0.2, ("max", "relu"): 0.5})
    reference = {factor: levels[0] for factor, levels in LEVELS.items()}
    ours, peer = factorial(data, list(LEVELS), reference=reference), smf.ols(FORMULA, data).fit()
    assert (ours.df, ours.sd) == (peer.df_resid, pytest.approx(np.sqrt(peer.scale), abs=1e-9))
    table = sm.stats.anova_lm(peer, typ=2)
    for term in ours.terms:
        row = table.loc[":".join(f"C({factor}, Sum)" for factor in term.factors)]
        assert (term.df, term.f) == (row["df"], pytest.approx(row["F"], rel=1e-8))
        assert term.p == pytest.approx(row["PR(>F)"], rel=1e-7, abs=1e-12)
    for contrast in (*ours.effects, *ours.interactions):
        cells = pd.DataFrame(list(product(*LEVELS.values())), columns=list(LEVELS)).assign(seed=0)
        weights = np.ones(len(cells))
        for factor, level, base in zip(contrast.factors, contrast.levels, contrast.reference, strict=True):
            signs = (cells[factor] == level).astype(float) - (cells[factor] == base)
            weights = weights * signs
        others = np.prod([len(levels) for factor, levels in LEVELS.items() if factor not in contrast.factors])
        test = peer.t_test((weights / others) @ _design(peer, cells))
        assert contrast.value == pytest.approx(test.effect.item(), abs=1e-9)
        assert (contrast.lo, contrast.hi) == pytest.approx(tuple(test.conf_int()[0]), abs=1e-9)
        assert contrast.p == pytest.approx(test.pvalue.item(), abs=1e-9)


def _design(fit: Any, cells: pd.DataFrame) -> Any:
    from patsy import build_design_matrices

    return np.asarray(build_design_matrices([fit.model.data.model_spec], cells)[0])


def test_a_balanced_effect_is_a_difference_of_means_by_hand() -> None:
    data = study(effects={("relu",): 0.5})
    effect = found(factorial(data, list(LEVELS), margin=0.2).effects, "relu")
    means = data.groupby("act")["value"].mean()
    assert effect.value == pytest.approx(means["relu"] - means["sigmoid"], abs=1e-12)
    assert effect.words == "worse"
    means = data.groupby(["squeeze", "act"])["value"].mean()
    interaction = found(factorial(data, list(LEVELS)).interactions, "max", "relu")
    by_hand = means["max", "relu"] - means["avg", "relu"] - means["max", "sigmoid"] + means["avg", "sigmoid"]
    assert interaction.value == pytest.approx(by_hand, abs=1e-12)


def test_an_interaction_is_found_and_where_there_is_none_it_is_shown_to_be_small() -> None:
    fit = factorial(study(10, effects={("max", "relu"): 0.6}), list(LEVELS), margin=0.2)
    assert found(fit.interactions, "max", "relu").words == "present"
    assert found(fit.interactions, "none", "relu").words == "equivalent"
    assert fit.departure is not None
    assert fit.departure.p < 1e-6
    assert not fit.not_estimable


def test_a_fraction_says_what_it_cannot_show_but_sees_that_something_is_there() -> None:
    rows = covering_rows([3, 2, 3], (0, 0, 0))
    cells = {tuple(LEVELS[f][i] for f, i in zip(LEVELS, row, strict=True)) for row in rows}
    data = study(8, effects={("max", "relu"): 1.0})
    data = data[[tuple(cell) in cells for cell in data[list(LEVELS)].itertuples(index=False)]]
    fit = factorial(data, list(LEVELS))
    assert ("squeeze", "ratio") in fit.not_estimable
    assert {c.factors for c in fit.effects} == {("squeeze",), ("act",), ("ratio",)}
    assert all(c.alone for c in fit.interactions)
    assert fit.departure is not None
    assert fit.departure.p < 1e-6


def test_one_seed_claims_nothing() -> None:
    fit = factorial(study(1), list(LEVELS), margin=0.2)
    assert {c.words for c in (*fit.effects, *fit.interactions)} == {"no claim possible at n = 1"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.assign(act="relu"), "factor 'act' has one level, 'relu'"),
        (lambda f: f.drop(columns="act"), "unknown column 'act'"),
        (lambda f: f.assign(value=np.nan), "no value is measured"),
    ],
)
def test_what_is_wrong_is_said(change: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        factorial(change(study(2)), list(LEVELS))
    with pytest.raises(UserError, match="unknown level of act 'rely'; did you mean 'relu'"):
        factorial(study(2), list(LEVELS), reference={"act": "rely"})
