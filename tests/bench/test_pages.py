"""What a program of bench/ measured is kept with its machine, its commit and the command that measures it again."""

from __future__ import annotations

import json
from pathlib import Path

from ablations.analysis.tables.cells import Number, Text
from bench.pages import markdown_table, write_page


def test_a_table_has_words_left_and_numbers_right() -> None:
    rows = [(Text("a"), Number(-1, 0))]
    assert markdown_table(["what", "s"], rows) == "| what | s |\n| :-- | --: |\n| a | −1 |"


def test_figures_and_page_name_the_command(tmp_path: Path) -> None:
    write_page(tmp_path / "bench-x", {"seconds": [1, 2]}, "Two seconds.\n", "sweeps.x --trials 2")
    figures = json.loads((tmp_path / "bench-x" / "measured.json").read_text())
    assert figures["seconds"] == [1, 2]
    assert figures["command"] == "python -m bench.sweeps.x --trials 2"
    assert figures["environment"]["cores"] >= 1
    said = (tmp_path / "bench-x" / "tables.md").read_text()
    assert said.startswith("Two seconds.\n\n`python -m bench.sweeps.x --trials 2`, commit ")
