"""Every command that is shown asks for the same study with the same folders, in whichever folder it is typed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from ablations.cli import COMMANDS
from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study
from ablations.running.record.last_plan import plan_of, write_last_plan
from tests.ablations.analysis.synthetic import line, write_record

SHOWN = re.compile(rf"(?:\S*/)?ablate (?:{'|'.join(COMMANDS)})\b[^`\n]*")
SET = ("--set", "title='it''s $HOME'", "--set", "recipe.epochs=2", "--seeds", "2")


@pytest.fixture
def here(ablate: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose name has to be quoted, with a study file and its plug-in."""
    folder = tmp_path / "it's a $HOME folder"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    shutil.copy("small.yaml", folder / "my study.yaml")
    shutil.move(str(folder / "my study.yaml"), folder / "small.yaml")
    monkeypatch.chdir(folder)
    return folder


def shown(text: str) -> Iterator[str]:
    for found in SHOWN.finditer(text):
        yield found[0].split(", then http")[0].split(" --from PATH")[0].rstrip(" |")


def understood(command: str, elsewhere: Path) -> tuple[click.Context, Path]:
    """Read a command as a shell in another folder and `ablate` would."""
    words = shlex.split(command)
    os.chdir(elsewhere)
    assert Path(words[0]).name == "ablate"
    called: Any = import_module(COMMANDS[words[1]]).command
    rest = words[2:]
    if isinstance(called, click.Group):
        called, rest = called.commands[rest[0]], rest[1:]
    return called.make_context(words[1], rest), Path.cwd()


def as_if_run(folder: Path) -> Design:
    planned = design(load_study("small.yaml", overrides=SET[1:4:2], seeds=2))
    lines = [
        line(planned, row, seed, None if row.variant is None else 20.0)
        for row in planned.rows
        for seed in planned.seeds
    ]
    write_record(folder / "my results/small", lines)
    write_last_plan(folder / "my results/small", plan_of(planned.study, folder / "my data"))
    return planned


PLACES = ("--results-dir", "my results", "--reports-dir", "my reports")
ASKED = [
    ("report", "small.yaml", *SET, *PLACES),
    ("sync", "small.yaml", *SET, *PLACES),
    ("why", "small.yaml", "zzz", *SET, *PLACES),
    ("status", "small.yaml", *SET, *PLACES),
    ("plan", "small.yaml", *SET, *PLACES, "--data-dir", "my data", "--calibrate", "0"),
    ("retry", "small.yaml", "--no-tracking", *SET, *PLACES, "--data-dir", "my data", "--workers", "1"),
    ("reproduce", "small.yaml", "zzz", *PLACES[:2]),
    ("run", "small.yaml", "--set", "baseline.data=cifar10", "--data-dir", "my data", "--no-tracking"),
    ("doctor", "small.yaml", "--results-dir", "my results", "--data-dir", "my data", "--no-tracking"),
    ("init",),
]


@pytest.mark.parametrize("recorded", [False, True], ids=["nothing", "a record"])
@pytest.mark.parametrize("words", ASKED, ids=lambda words: " ".join(words[:2]))
def test_what_is_shown_is_the_same_study_elsewhere(
    ablate: Callable[..., Any],
    here: Path,
    words: tuple[str, ...],
    recorded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ablations.running.data.preparation.fetch", _no_network)
    planned = as_if_run(here) if recorded else None
    said = ablate(*words)
    text = said.out + said.err
    report = here / "my reports/small/report.md"
    if report.exists():
        text += re.sub(r"\\(.)", r"\1", report.read_text(encoding="utf-8"))
    commands = list(shown(text))
    for command in commands:
        context, there = understood(command, here.parent / "elsewhere")
        given = context.params
        assert there != here
        for option, name in (
            ("results_dir", "my results"),
            ("reports_dir", "my reports"),
            ("data_dir", "my data"),
        ):
            if option in given and f"--{option.replace('_', '-')}" in command:
                assert given[option] == here / name
        if given.get("study") and planned is not None:
            again = load_study(given["study"], overrides=given.get("overrides", ()), seeds=given.get("seeds"))
            if given.get("overrides"):
                assert {t.key for t in design(again).trials} == {t.key for t in planned.trials}
        os.chdir(here)
    if words[0] in ("run", "init") or (words[0] == "report") or (not recorded and words[0] == "sync"):
        assert commands, text


def _no_network(name: str, folder: Path) -> Path:
    from ablations.errors import DataError

    raise DataError("there is no network")


def test_a_command_of_a_report_is_typed_elsewhere_and_works(ablate: Callable[..., Any], here: Path) -> None:
    as_if_run(here)
    assert ablate("report", "small.yaml", *PLACES).status == 0
    table = (here / "my reports/small/tables/commands.csv").read_text(encoding="utf-8")
    command = next(shown(table.splitlines()[1].split(",", 1)[1].strip('"').replace('""', '"')))
    os.chdir(here.parent / "elsewhere")
    words = shlex.split(command)[2:]
    only = words.index("--only")
    words = [word for place, word in enumerate(words) if place not in (only, only + 1)]
    data = words.index("--data-dir")
    del words[data : data + 2]  # `status` takes what `run` takes, but for the data
    status = ablate("status", *words, "--json")
    assert status.status == 0, status.err
    assert json.loads(status.out)["finished"] == 4


def test_a_folder_of_images_is_the_same_elsewhere(ablate: Callable[..., Any], here: Path) -> None:
    data = "baseline.data={name: image-folder, path: images, size: 32}"
    said = ablate("report", "small.yaml", "--set", data)
    context, _ = understood(next(shown(said.err)), here.parent / "elsewhere")
    study = load_study(context.params["study"], overrides=context.params["overrides"])
    assert (study.baseline.data.path, study.baseline.data.images) == ("images", str(here / "images"))
