"""docs/python.md does what it says: its examples run, in a folder with the records that come with a clone."""

from __future__ import annotations

import doctest
import os
import re
import shutil
from pathlib import Path

import pytest

import ablations as ab

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def _in_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "results" / "first-epoch", tmp_path / "results" / "first-epoch")
    monkeypatch.chdir(tmp_path)
    # workers import the package by name; the tests may run from a checkout that is not installed
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.usefixtures("_in_a_clone")
def test_every_example_says_what_the_page_says() -> None:
    examples = "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE, flags=re.DOTALL))
    page = doctest.DocTestParser().get_doctest(examples, {}, "python.md", "docs/python.md", 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(page, out=said.append)
    assert len(page.examples) > 20
    assert said == [], "".join(said)


@pytest.mark.parametrize("name", ab.__all__)
def test_every_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE)
