"""Tables on a screen: names, verdicts and numbers stay whole at every width; what gives way is named."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from ablations.analysis.tables.cells import Column, Table, TableRow, Text
from ablations.analysis.tables.screen import ScreenTable, fits, text_table

NAMES = ("SE", "SE r=8 with a rather long name of its own", "日本語の名前", "a" * 70)
COLUMNS = (
    Column("variant", "variant", "left"),
    Column("value", "top-1 error, %", gives_way=3),
    Column("difference", "difference to baseline", gives_way=4),
    Column("p", "p (Holm)", gives_way=2),
    Column("q", "p, equivalence", gives_way=1),
    Column("verdict", "verdict", "left"),
)
ROWS = [
    (name, "1,234.56 ± 1.23 (10)", "−0.34 [−0.51, −0.17]", "<0.001", "0.123", f"undetermined ({place} seeds)")
    for place, name in enumerate(NAMES)
]


def shown(table: object, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True, markup=False, emoji=False)
    console.print(table)
    return console.export_text()


def entries(text: str) -> str:
    """All that is printed, without blanks: where words are folded does not matter."""
    return "".join(text.split())


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 160, 100_000])
@pytest.mark.parametrize("row", ROWS, ids=["short", "words", "wide letters", "one long word"])
def test_name_and_verdict_are_whole_at_every_width(row: tuple[str, ...], width: int) -> None:
    text = shown(text_table(COLUMNS, [row]), width)
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    table, _, left_out = text.partition("Not shown")
    for word in row[0].split() if len(row[0]) < 60 else ["a" * 16]:
        assert word in table
    assert table.count("a") >= row[0].count("a")
    assert "undetermined" in table
    assert bool(left_out) or width > 80


def test_what_is_left_out_goes_in_the_stated_order_and_is_named() -> None:
    def left_out(width: int) -> str:
        return entries(shown(text_table(COLUMNS, ROWS[:2]), width).partition("Not shown")[2])

    assert left_out(60) == entries(" in 60 columns: top-1 error, %; p (Holm); p, equivalence.")
    assert left_out(85) == entries(" in 85 columns: p, equivalence.")
    assert left_out(100_000) == ""


def test_numbers_are_never_folded() -> None:
    table = text_table(
        (Column("n", "n", "left"), Column("count", "count")), [("x " * 40, "1,234,567,890,123")]
    )
    assert "1,234,567,890,123" in shown(table, 33)


def test_a_table_knows_whether_it_fits() -> None:
    table = Table("t", "T", COLUMNS[:1], (TableRow((Text("abcdefgh"),)),))
    assert (fits(table, 10), fits(table, 9)) == (True, False)
    assert "abcdefgh" in shown(ScreenTable(table), 10)
