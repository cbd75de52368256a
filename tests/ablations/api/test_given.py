"""What the Python calls refuse: each wrong value in one line that says what is taken, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ablations as ab

RUNS = pd.DataFrame(
    {"variant": ["a"] * 4 + ["b"] * 4, "seed": [0, 1, 2, 3] * 2, "value": [1.0, 2, 3, 4, 2, 3, 5, 5]}
)


def results() -> Any:
    return ab.Results.from_frame(RUNS, baseline="a")


CASES: dict[str, tuple[Callable[[Any], object], str]] = {
    "noise": (lambda x: ab.plan("quickstart", noise=x(1.5)), r"`noise` is `ab\.NoiseSource\(.*, got 1\.5"),
    "detect": (
        lambda x: ab.plan("quickstart", detect=x("0.5")),
        "`detect` must be a number above 0, got '0.5'",
    ),
    "timing": (lambda x: ab.plan("quickstart", options=x(3)), r"`options` are `ab\.TimingOptions\(.*, got 3"),
    "frame": (
        lambda x: ab.compare(x("x.csv"), baseline="a"),
        "pandas data frame, such as `ab.read_runs`.*'x.csv'",
    ),
    "frame of results": (lambda x: ab.Results.from_frame(x("x.csv"), baseline="a"), "pandas data frame"),
    "margin": (
        lambda x: ab.compare(RUNS, baseline="a", margin=x("0.5")),
        "margin must be a number above 0, got '0.5'",
    ),
    "margin of results": (
        lambda x: ab.Results.from_frame(RUNS, baseline="a", margin=x(True)),
        "margin must be a number above 0, got True",
    ),
    "overrides": (
        lambda x: ab.load_study("quickstart", overrides=x("recipe.epochs=2")),
        r"`overrides` is a list, got 'recipe.epochs=2'; of one: \['recipe.epochs=2'\]",
    ),
    "number for overrides": (
        lambda x: ab.load_study("quickstart", overrides=x(3)),
        "`overrides` is a list, got 3",
    ),
    "plugins": (
        lambda x: ab.load_study("quickstart", plugins=x("mine.py")),
        "`plugins` is a list, got 'mine.py'",
    ),
    "formats": (
        lambda x: ab.write_report(results(), "r", formats=x("html")),
        "`formats` is a list, got 'html'",
    ),
    "no results": (
        lambda x: ab.write_report(x("quickstart"), "r"),
        "`results` are those of .*, got 'quickstart'",
    ),
    "resamples": (
        lambda x: ab.calibrate("quickstart", resamples=x("100")),
        "resamples must be from 100 .* '100'",
    ),
    "source": (lambda x: ab.read_runs(x(None)), "`source` is a CSV's name, or KIND:PLACE .*, got None"),
    "rows": (lambda x: ab.retest("quickstart", rows=x("SE")), "`rows` is a list, got 'SE'"),
    "ensembles": (
        lambda x: ab.retest("quickstart", ensembles=x("seeds")),
        "`ensembles` is a list, got 'seeds'",
    ),
    "views": (lambda x: ab.retest("quickstart", x(10)), r"`views` are `ab\.Views\(\.\.\.\)`, got 10"),
    "axis": (lambda x: results().plot(x("squeeze")), "there is one table and no task.*, got 'squeeze'"),
}


def as_it_is(value: Any) -> Any:
    """What a type checker would refuse, too."""
    return value


@pytest.mark.parametrize(("call", "message"), CASES.values(), ids=CASES)
def test_a_wrong_value_is_refused_in_one_line(
    call: Callable[[Any], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ab.UserError, match=message) as refused:
        call(as_it_is)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_path_is_a_source_of_runs(tmp_path: Path) -> None:
    RUNS.to_csv(tmp_path / "runs.csv", index=False)
    assert ab.read_runs(tmp_path / "runs.csv").equals(ab.read_runs(str(tmp_path / "runs.csv")))


def test_a_field_of_a_part_is_proposed_where_it_belongs() -> None:
    with pytest.raises(ab.StudyError, match=r"unknown field 'epochs'; did you mean 'recipe\.epochs'\?"):
        ab.load_study("quickstart", overrides={"epochs": 2})


def test_a_field_that_is_written_wrong_is_named_and_not_the_one_that_it_leaves_missing() -> None:
    with pytest.raises(ab.StudyError, match=r"unknown field 'titel'; did you mean 'title'\?"):
        ab.load_study({"titel": "Mine", "question": "Which?"})
