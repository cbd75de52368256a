"""What commands print at every width of a terminal, and in a pipe: names, verdicts and numbers are never cut."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from ablations.commands.shared import console

NAMES = ("SE", "SE-POST r=8, stages 2 to 4", ":smile: [red]x[/red]", "日本語")
RUNS = "variant,seed,value\n" + "".join(
    f'"{name}",{seed},{8 + place + 0.1 * ((seed * (place + 3)) % 5)}\n'
    for place, name in enumerate(NAMES)
    for seed in range(6)
)
WIDTHS = ("60", "80", "100", "160")
COMMANDS = (
    ("analyse", "own.csv", "--baseline", "SE", "--pairs"),
    ("plan", "small.yaml"),
    ("status", "small.yaml"),
    ("list",),
    ("list", "squeeze"),
    ("studies",),
    ("complexity", "table_1"),
    ("complexity", "--backbone", "resnet20"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=[" ".join(words[:2]) for words in COMMANDS])
def test_tables_keep_to_the_width(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    Path("own.csv").write_text(RUNS, encoding="utf-8")
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", width)
        said = ablate(*words)
        assert said.status == 0, said.err
        assert max(map(cell_len, said.out.splitlines())) <= int(width)
        assert "…" not in said.out


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_every_row_has_its_name_and_its_verdict(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, width: str | None
) -> None:
    Path("own.csv").write_text(RUNS, encoding="utf-8")
    if width is not None:
        monkeypatch.setenv("COLUMNS", width)
    picture, _, rest = ablate("analyse", "own.csv", "--baseline", "SE").out.partition("Comparisons\n")
    for shown in (picture, rest.partition("value: mean")[0]):
        assert shown.count("worse") == 3
        assert all(word in shown for name in NAMES for word in name.split())


def test_in_a_pipe_nothing_is_cut(ablate: Callable[..., Any]) -> None:
    Path("own.csv").write_text(RUNS, encoding="utf-8")
    out = ablate("analyse", "own.csv", "--baseline", "SE", "--pairs").out
    assert "Not shown" not in out
    line = next(
        line for line in out.splitlines() if line.startswith(" 日本語") and ":smile: [red]x[/red]" in line
    )
    assert "worse" in line


@pytest.mark.parametrize(
    ("columns", "tty", "width"),
    [("72", False, 72), ("72", True, 72), ("", False, console.NO_EDGE), ("0", False, console.NO_EDGE),
     ("-5", False, console.NO_EDGE), ("wide", False, console.NO_EDGE), ("9" * 5000, False, console.NO_EDGE),
     ("٣٣", False, console.NO_EDGE), ("", True, 91), ("0", True, 91)],
)  # fmt: skip
def test_the_width_is_the_terminals_or_the_one_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, columns: str, tty: bool, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: tty)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((91, 30)))
    assert console.make_console().width == width
