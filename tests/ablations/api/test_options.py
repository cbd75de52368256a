"""Options of a run that are wrong are refused before anything is begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ablations as ab

STUDY = {
    "name": "mine",
    "title": "Mine",
    "question": "Does it matter?",
    "baseline": {"backbone": "resnet8", "variant": {"reduction": 8}, "data": "digits"},
    "recipe": {"base": "cifar-quick", "epochs": 0.1},
    "axes": {"squeeze": ["avg", "max"]},
    "seeds": 1,
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": -1}, "`workers` must be a whole number of at least 1, got -1"),
        ({"workers": 0}, "got 0"),
        ({"workers": 1.5}, "got 1.5"),
        ({"workers": "2"}, "got '2'"),
        ({"workers": True}, "got True"),
        ({"executor": 3}, "`executor` is 'ray', a function .*, got 3"),
        ({"options": {}}, r"`options` are `ab\.RunOptions\(.*\)`, got \{\}"),
    ],
)
def test_wrong_options_are_refused_and_leave_nothing_behind(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ab.UserError, match=message):
        ab.run(STUDY, results_dir=tmp_path / "results", **given)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trial_timeout": "1"}, "`trial_timeout` must be a number of seconds above 0, got '1'"),
        ({"trial_timeout": -1}, "got -1"),
        ({"trial_timeout": float("nan")}, "got nan"),
        ({"processes_per_trial": 0}, "`processes_per_trial` must be a whole number of at least 1, got 0"),
    ],
)
def test_options_that_are_out_of_range_are_none(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ab.UserError, match=message):
        ab.RunOptions(**given)
