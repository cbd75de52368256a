"""`ablate init` and `ablate studies --show` give a study file to begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablations.planning.commands import program
from ablations.planning.design import design
from ablations.planning.new_study import TEMPLATE
from ablations.planning.study_file import SHIPPED, load_study, shipped_studies


def test_a_new_study_is_valid_at_once(ablate: Callable[..., Any]) -> None:
    here, said = Path.cwd(), ablate("init")
    assert (said.status, said.out) == (
        0,
        f"my-study.yaml is written; next: {program()} plan {here}/my-study.yaml\n",
    )
    study = load_study("my-study.yaml")
    assert [row.label for row in design(study).rows] == ["SE r=8", "plain", "SE max r=8", "SE r=2"]
    assert ablate("plan", "my-study.yaml").status == 0


def test_what_is_commented_out_is_valid_when_it_is_not() -> None:
    text = TEMPLATE.replace("  data: digits ", "  # ")
    for field in ("data: {", "recipe.lr: [", "labels: {"):
        assert f"# {field}" in text
        text = text.replace(f"# {field}", field)
    study = load_study({"name": "small", **yaml.safe_load(text)})
    assert study.baseline.data.name == "image-folder"
    assert "Ours" in {row.label for row in design(study).rows}


@pytest.mark.parametrize("name", ["own", "own.yaml", "a b/own.yml"])
def test_the_name_may_be_that_of_the_file(ablate: Callable[..., Any], name: str) -> None:
    Path("a b").mkdir()
    assert ablate("init", name).status == 0
    path = Path(name if "." in name else f"{name}.yaml")
    assert path.read_text(encoding="utf-8") == TEMPLATE


def test_no_file_is_replaced(ablate: Callable[..., Any]) -> None:
    Path("mine.yaml").write_text("title: mine\n", encoding="utf-8")
    said = ablate("init", "mine")
    assert (said.status, said.out) == (2, "")
    assert said.err == "ablate: 'mine.yaml' exists already, and is left as it is; take another name\n"
    assert Path("mine.yaml").read_text(encoding="utf-8") == "title: mine\n"


def test_nor_what_a_link_points_to(ablate: Callable[..., Any]) -> None:
    Path("link.yaml").symlink_to("nowhere.yaml")
    assert ablate("init", "link").status == 2
    assert not Path("nowhere.yaml").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("smoke", "a shipped study is called 'smoke', and both would share a record; take another name"),
        ("x/smoke.yaml", "a shipped study is called 'smoke'"),
        (
            "a b",
            "a study's name must begin with a letter or digit, and go on with these, '.', '_' or '-', got 'a b'",
        ),
        ("", "a study's name must begin"),
        ("missing/own", "cannot write 'missing/own.yaml': No such file or directory"),
        ("own\n", "a study's name must begin"),
    ],
)
def test_what_is_no_new_study_is_refused(ablate: Callable[..., Any], name: str, reason: str) -> None:
    said = ablate("init", name)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"ablate: {reason}")


@pytest.mark.parametrize("name", shipped_studies())
def test_a_shipped_study_is_shown_as_it_is(ablate: Callable[..., Any], name: str) -> None:
    assert ablate("studies", "--show", name).out == (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def test_an_unknown_one_has_a_nearest_match(ablate: Callable[..., Any]) -> None:
    said = ablate("studies", "--show", "smoek")
    assert said.status == 2
    assert said.err.startswith("ablate: unknown shipped study 'smoek'; did you mean 'smoke'? known: a-a,")


def test_the_reference_is_printed_in_both_forms(ablate: Callable[..., Any]) -> None:
    assert ablate("schema", "--format", "markdown").out.startswith("# The study file\n")
    assert ablate("schema").out.startswith("{")
