"""The promises of verdicts and intervals, kept on studies whose truth is known."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablations.analysis.stats.compare import compare
from senet_core.errors import UserError
from tools.simulation.page import main
from tools.simulation.races import race_design
from tools.simulation.verdicts import (
    AT_MARGIN,
    FEW_REAL,
    HALF,
    MARGIN,
    VARIANTS,
    Setting,
    VerdictRates,
    errors_of,
    fixed_design,
    markdown,
    settings,
    simulate,
    wrong,
)

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
REPETITIONS = 5000
NOMINAL = 0.05 + 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)


@pytest.mark.parametrize("truth", [np.zeros(VARIANTS), AT_MARGIN, FEW_REAL])
@pytest.mark.parametrize("n", [5, 20])
def test_the_simulation_decides_as_the_library_does(truth: np.ndarray, n: int) -> None:  # type: ignore[type-arg]
    errors = errors_of(Setting(n, "normal", 0.5), 12, 4) + np.concatenate([[0.0], truth])
    decided = fixed_design(errors, MARGIN)
    for study in range(len(errors)):
        rows = [(f"v{v}", s, errors[study, s, v]) for v in range(VARIANTS + 1) for s in range(n)]
        found = compare(pd.DataFrame(rows, columns=["variant", "seed", "value"]), "v0", margin=MARGIN)
        for place, comparison in enumerate(found):
            verdict, words = comparison.reading.verdict, comparison.reading.words
            assert decided.alike[study, place] == (verdict == "equivalent")
            direction = -1 if "better" in words else 1 if "worse" in words else 0
            assert decided.sign[study, place] == direction


def test_wrong_is_a_wrong_direction_or_equivalence_of_what_reaches_the_margin() -> None:
    errors = errors_of(Setting(5, "heavy", 0.0), 400, 1)
    decided = fixed_design(errors + np.concatenate([[0.0], HALF]), MARGIN)
    flags = wrong(decided, HALF)
    assert not flags[(decided.sign == 0) & ~decided.alike].any()
    assert flags[decided.alike & (HALF != 0)].all()
    assert flags[(decided.sign != 0) & (HALF == 0)].all()


@pytest.mark.slow
@pytest.mark.parametrize("setting", settings(), ids=str)
def test_the_promises_hold(setting: Setting) -> None:
    found = simulate(setting, repetitions=REPETITIONS, seed=2)
    assert found.coverage is not None
    assert abs(found.coverage - 0.95) <= 0.02
    assert found.wrong_difference <= NOMINAL
    assert found.wrong_equivalence <= NOMINAL
    assert found.any_wrong <= 0.10  # the sum of both promises; the page says how near it comes
    assert list(found.found) == sorted(found.found)
    assert found.seeds == setting.n


@pytest.mark.slow
@pytest.mark.parametrize("setting", settings(), ids=str)
def test_the_promises_hold_for_a_race_with_a_look_after_every_seed(setting: Setting) -> None:
    found = simulate(setting, procedure=race_design, design="race", repetitions=REPETITIONS, seed=3)
    assert found.wrong_difference <= NOMINAL
    assert found.wrong_equivalence <= NOMINAL
    assert found.any_wrong <= 0.10
    assert list(found.found) == sorted(found.found)
    assert found.seeds <= setting.n


def test_more_seeds_find_more() -> None:
    few, many = (simulate(Setting(n, "normal", 0.5), repetitions=500) for n in (5, 20))
    assert all(a < b for a, b in zip(few.found[:2], many.found[:2], strict=True))
    assert few.equivalent < many.equivalent


def test_the_documentation_holds_a_table_of_every_setting_and_how_to_make_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.search(r"python -m tools\.simulation --repetitions \d{4,} --seed \d+", page)
    for setting in settings():
        noise = "normal" if setting.noise == "normal" else "heavy-tailed"
        for design in ("fixed", "race"):
            assert f"| {noise} | {setting.rho:g} | {setting.n} | {design} |" in page


def test_a_table_has_a_row_for_each_design() -> None:
    finding = VerdictRates(
        Setting(20, "normal", 0.5), "race", None, 0.01, 0.02, 0.03, (0.1, 0.2, 1.0), 0.5, 9.25
    )
    assert markdown([finding]).splitlines()[-1] == (
        "| normal | 0.5 | 20 | race | - | 1.0 % | 2.0 % | 3.0 % | 10.0 % | 20.0 % | 100.0 % | 50.0 % | 9.2 |"
    )


def test_the_tables_are_written_where_pages_quote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.simulation.page.tables", lambda *_: "tables\n")
    page = tmp_path / "simulation" / "tables.md"
    main(["--write", str(page)])
    assert page.read_text(encoding="utf-8") == "tables\n"
    with pytest.raises(UserError, match="cannot write"):
        main(["--write", str(tmp_path)])
