"""Every command of `ablate` in the documents is one: its words, options and types are those of the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ablations.analysis.results.results import Results
from ablations.analysis.tables.trials import trial_records
from ablations.cli import group
from ablations.experiments.classification.kind import RECORDED
from ablations.running.record.study_record import StudyRecord
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?:^|\s)ablate ([a-z][^\n]*)")


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if (found := COMMAND.search(line)) is not None:
                    yield page.name, found[1]


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_every_command_can_be_parsed(page: str, line: str) -> None:
    words = [word for word in shlex.split(line, comments=True) if word != "&"]
    context, command = click.Context(group), group.get_command(click.Context(group), words[0])
    assert command is not None
    while isinstance(command, click.Group):
        words = words[1:]
        command = command.get_command(context, words[0])
        assert command is not None
    command.make_context(words[0], words[1:])


def test_every_page_is_named_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.[mi][dp]*"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "README.md" or f"({name})" in index, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_column_of_the_trials_is_described(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "your-paper.md").read_text(encoding="utf-8")
    plan = study_design(axes={"reduction": [4, 16]}, seeds=2, labels={"SE r=4": "Ours"})
    record: StudyRecord = write_record(tmp_path, simulated(plan, fail=[("SE", 1)]))
    lines = trial_records(Results(plan, record))
    assert len(lines) == 6
    assert {(line["variant"], line["axis.reduction"]) for line in lines} == {
        ("SE", "16"), ("plain", "-"), ("Ours", "4"),
    }  # fmt: skip
    assert {line["failure"] for line in lines} == {None, "diverged"}
    assert set(RECORDED) <= set(lines[0])
    for column in lines[0]:
        assert f"`{column}`" in page or column.startswith("axis."), column
