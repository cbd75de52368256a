"""A row's command, pasted into a shell, trains that row again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.commands.run import command as run
from ablations.planning.commands import row_command
from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study

PLUGIN = """
from senet_core import SQUEEZES

@SQUEEZES.register("mine", source="ours: a test")
def squeeze(x):
    return x.mean(dim=(2, 3))
"""


def parsed(text: str) -> Design:
    """Read a command as the shell and `ablate` would."""
    program, name, *words = shlex.split(text)
    assert (program, name) == ("ablate", run.name)
    given = run.make_context("run", words).params
    study = load_study(
        given["study"], overrides=given["overrides"], seeds=given["seeds"], plugins=given["plugins"]
    )
    assert len(given["only"]) == 1
    return design(study).only(given["only"])


def assert_every_row_comes_back(unfolded: Design) -> None:
    for row in unfolded.rows:
        again = parsed(row_command(unfolded, row))
        assert again.rows == (row,)
        assert [trial.key for trial in again.trials] == [row.trial(seed).key for seed in unfolded.seeds]
        assert again.study == unfolded.study


@pytest.mark.parametrize("name", ["smoke", "stages", "integration"])
def test_of_a_shipped_study(name: str) -> None:
    assert_every_row_comes_back(design(load_study(name)))


@pytest.mark.parametrize(
    ("overrides", "seeds"),
    [
        (["recipe.epochs=30"], None),
        (["recipe.epochs=30", "baseline.backbone=resnet56"], 5),
        (["seeds=3"], None),
        (["seeds=[4, 9]", "title='it''s a \"title\" with $HOME and ; in it'"], None),
        (["axes.recipe.lr=[0.1, 0.2]", "baseline.variant={squeeze: max, reduction: {2: 4, 3: 8, 4: 8}}"], 2),
    ],
    ids=str,
)
def test_of_a_study_changed_on_the_command_line(overrides: list[str], seeds: int | None) -> None:
    assert_every_row_comes_back(design(load_study("smoke", overrides=overrides, seeds=seeds)))


@pytest.mark.usefixtures("own_registries")
def test_of_a_file_with_plug_ins(tmp_path: Path, write_study: Callable[..., str]) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    plugin = folder / "my plug-in.py"
    plugin.write_text(PLUGIN)
    (tmp_path / "own.py").write_text(PLUGIN.replace("mine", "own"))
    file = write_study("my-study.yaml", plugins=["own.py"], axes={"squeeze": ["own", "mine"]})
    assert_every_row_comes_back(design(load_study(file, plugins=[str(plugin)], seeds=1)))


def test_of_a_file_that_has_the_name_of_a_shipped_study(write_study: Callable[..., str]) -> None:
    assert_every_row_comes_back(design(load_study(write_study("smoke.yaml"))))
