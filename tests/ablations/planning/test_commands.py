"""A row's command, pasted into a shell, trains that row again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from ablations.cli import COMMANDS
from ablations.commands.run import command as run
from ablations.planning.commands import ACCEPTED, Places, StudyCommands
from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study

PLUGIN = """
from senet_core import SQUEEZES

@SQUEEZES.register("mine", source="ours: a test")
def squeeze(x):
    return x.mean(dim=(2, 3))
"""

PLACES = Places(Path("my results"), Path("it's"), Path("$HOME"), "sqlite:////a b.db")


def parsed(text: str) -> Design:
    """Read a command as the shell and `ablate` would."""
    program, name, *words = shlex.split(text)
    assert (Path(program).name, name) == ("ablate", run.name)
    given = run.make_context("run", words).params
    study = load_study(
        given["study"], overrides=given["overrides"], seeds=given["seeds"], plugins=given["plugins"]
    )
    assert len(given["only"]) == 1
    return design(study).only(given["only"])


def assert_every_row_comes_back(unfolded: Design) -> None:
    for row in unfolded.rows:
        again = parsed(StudyCommands(unfolded.study).row(unfolded, row))
        assert again.rows == (row,)
        assert [trial.key for trial in again.trials] == [row.trial(seed).key for seed in unfolded.seeds]
        assert again.study == unfolded.study
        elsewhere = parsed(StudyCommands(unfolded.study, PLACES).row(unfolded, row))
        assert [trial.key for trial in elsewhere.trials] == [trial.key for trial in again.trials]


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


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_options_of_places_are_those_of_the_commands(name: str) -> None:
    group_name, _, rest = name.partition(" ")
    command = import_module(COMMANDS[group_name]).command
    command = command.commands[rest] if rest else command
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(ACCEPTED[name]) == known & {option for options in ACCEPTED.values() for option in options}


def test_a_path_in_a_command_is_absolute_and_one_word() -> None:
    words = shlex.split(PLACES.command("doctor", "my study"))
    here = Path.cwd()
    assert words[1:] == [
        "doctor", "my study", "--results-dir", f"{here}/my results", "--data-dir", f"{here}/$HOME",
        "--tracking-uri", "sqlite:////a b.db",
    ]  # fmt: skip
