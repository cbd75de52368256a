"""Nothing finished may mean another folder or another plan: commands say which, where they can know."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ablations.commands.test_last_plan import as_if_run

Ablate = Callable[..., Any]


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("plan", "--calibrate", "0")])
def test_a_record_beside_the_study_file_is_pointed_to_from_another_folder(
    ablate: Ablate, tmp_path: Path, words: tuple[str, ...]
) -> None:
    as_if_run()
    (tmp_path / "else where").mkdir()
    os.chdir("else where")
    command, *options = words
    said = ablate(command, "../small.yaml", *options)
    where = f"{tmp_path}/results"
    assert said.err == (
        f"results has no record of small, and the folder of its file has one: --results-dir {where}\n"
    )
    assert said.status == 0
    there = ablate(command, "../small.yaml", *options, "--results-dir", where)
    assert "has no record" not in there.err


def test_nothing_is_said_of_a_record_that_is_here_or_nowhere(ablate: Ablate, tmp_path: Path) -> None:
    assert ablate("status", "small.yaml").err == ""
    assert ablate("status", str(tmp_path / "small.yaml"), "--results-dir", "new").err == ""
    as_if_run()
    assert "has no record" not in ablate("status", str(tmp_path / "small.yaml")).err


def test_a_place_with_blanks_can_be_typed(ablate: Ablate, tmp_path: Path) -> None:
    as_if_run()
    spaced = tmp_path / "my project"
    spaced.mkdir()
    for name in ("small.yaml", "results"):
        Path(name).rename(spaced / name)
    said = ablate("status", "my project/small.yaml")
    assert said.err.endswith(f"--results-dir '{spaced}/results'\n")


def test_the_status_of_a_plan_without_trials_names_the_reported_plan(ablate: Ablate) -> None:
    as_if_run("recipe.epochs=2")
    other = ("status", "small.yaml", "--set", "recipe.epochs=5")
    known = "results/small has 9 finished trials of other plans"
    assert known in ablate(*other).out
    assert ablate("report", "small.yaml").status == 0
    said = " ".join(ablate(*other).out.split())
    assert f"{known}; the report in reports/small is of: small.yaml --set recipe.epochs=2 --seeds 3" in said
    assert json.loads(ablate(*other, "--json").out)["finished"] == 0
    assert known not in ablate("status", "small.yaml").out
