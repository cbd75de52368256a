"""Tables: what stands in them, what they say below, and how they look in each format."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.analysis.results.families import Family
from ablations.analysis.results.results import Results
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import estimate
from ablations.analysis.tables.axis import axis_table
from ablations.analysis.tables.cells import (
    Code,
    Column,
    CostCell,
    Difference,
    Mean,
    Number,
    Printed,
    PValue,
    Table,
    TableRow,
    Text,
    about,
)
from ablations.analysis.tables.comparisons.details import detail_table
from ablations.analysis.tables.comparisons.keys import file_key
from ablations.analysis.tables.escape import markdown_code, markdown_escape
from ablations.analysis.tables.render import to_csv, to_html, to_markdown
from ablations.analysis.tables.screen import ScreenTable
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

NASTY = 'a|b <script> & 50% $x_1$ \\ {y} `z` # ~ ^ *s* [l](u) "q"'


def families_of(
    folder: Path, lines: dict[str, Any] | None = None, **changes: Any
) -> tuple[tuple[Family, ...], Any]:
    plan = study_design(**changes)
    return Results(plan, write_record(folder, simulated(plan, **(lines or {})))).families, plan.study


def column(table: Table, key: str) -> dict[str, str]:
    place = [column.key for column in table.columns].index(key)
    return {row.cells[0].text(): row.cells[place].text() for row in table.rows}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Mean(estimate([8.0, 8.2, 8.4]), 3), "8.20 ± 0.50 (3)"),
        (Mean(estimate([8.0, 8.2, 8.4]), 5), "8.20 ± 0.50 (3/5)"),
        (Mean(estimate([8.0]), 1), "8.00 (1)"),
        (Mean(estimate([-8.0]), 1), "−8.00 (1)"),
        (Mean(estimate([8.0, 8.0]), 2), "8.00 (2, all equal)"),
        (Mean(estimate([]), 3), "–"),
        (Difference(-0.34, -0.51, 0.0), "−0.34 [−0.51, 0.00]"),
        (Difference(0.5, None, None), "+0.50"),
        (PValue(0.0004), "<0.001"),
        (PValue(0.0494), "0.049"),
        (Number(-0.001, signed=True), "0.00"),
        (Number(1234567, 0), "1,234,567"),
        (CostCell(274_490, 0.7399, exact=True), "274,490 (+0.74 %)"),
        (CostCell(40_812_016, 0.0049, exact=False), "40.81 M (+0.005 %)"),
        (CostCell(None, None, exact=True), "–"),
        (Printed(22.57, 6.09, 0.29), "22.57 / 6.09 (+0.29)"),
        (Printed(None, None, None), "–"),
        (Text(None), "–"),
    ],
)
def test_what_a_cell_shows(cell: Any, text: str) -> None:
    assert cell.text() == text


def test_a_table_is_an_axis_and_all_tables_are_corrected_together(tmp_path: Path) -> None:
    groups, _ = families_of(tmp_path, {"effects": {"plain": 0.5, "SE r=4": -0.2}})
    assert [group.axis for group in groups] == ["reduction", "squeeze"]
    assert [o.label for o in groups[0].outcomes] == ["plain", "SE r=4", "SE", "SE r=32"]
    found = {c.variant: c for group in groups for c in group.comparisons.values()}
    assert [c.p_corrected for c in found.values()] == holm([c.difference.p for c in found.values()])
    assert groups[0].comparisons["plain"] is groups[1].comparisons["plain"]


@pytest.mark.parametrize(
    ("seeds", "said"), [(1, "1"), (7, "7"), (84, "84"), (126, "130"), (996, "1,000"), (1349, "1,300")]
)
def test_a_forecast_of_seeds_is_said_in_two_digits(seeds: int, said: str) -> None:
    assert about(seeds) == said


def test_a_table_in_the_papers_layout(tmp_path: Path) -> None:
    [reduction, squeeze], study = families_of(tmp_path, {"effects": {"plain": 1.0}, "sd": 0.1})
    table = axis_table(reduction, study)
    verdicts = column(table, "verdict")
    assert (verdicts["plain"], verdicts["SE"]) == ("worse", "baseline")
    assert re.fullmatch(r"undetermined \(about (\d|\d\d|[\d,]+0) more seeds\)", verdicts["SE r=32"])
    assert column(table, "axis_reduction") == {"plain": "–", "SE r=4": "4", "SE": "16", "SE r=32": "32"}
    assert column(table, "paper") == {
        "plain": "23.30 / 6.55 (+1.02)", "SE r=4": "22.25 / 6.09 (−0.03)", "SE": "22.28 / 6.03",
        "SE r=32": "22.72 / 6.20 (+0.44)",
    }  # fmt: skip
    assert column(table, "parameters")["SE"] == "274,490 (+0.74 %)"  # 2 * 3 * (16 + 64 + 256) over 272,474
    assert column(table, "widths") == {"plain": "–", "SE r=4": "4/8/16", "SE": "1/2/4", "SE r=32": "1/1/2"}
    assert [row.kind for row in table.rows] == ["plain", "variant", "baseline", "variant"]
    assert "widths" not in [c.key for c in axis_table(squeeze, study).columns]


def test_notes_say_where_the_floor_acts_and_what_is_equal(tmp_path: Path) -> None:
    [group], study = families_of(tmp_path, axes={"reduction": [8, 16, 32, 64, 128]}, baseline={
        "backbone": "resnet20", "variant": {"reduction": 8}, "data": "digits"})  # fmt: skip
    said = " ".join(axis_table(group, study).notes)
    assert "Stage 2 has fewer than r = 32 channels" in said
    assert "Stage 2 has fewer than r = 16" not in said
    assert "In stage 2, r = 16 and r = 32 have the same bottleneck width." in said
    assert "SE r=64 and SE r=128 have equal bottleneck widths in every stage: they are one network" in said


def test_what_the_paper_does_not_have_is_left_out(tmp_path: Path) -> None:
    [group], study = families_of(tmp_path, axes={"recipe.lr": [0.1, 0.2]}, include_plain=False)
    table = axis_table(group, study)
    assert "paper" not in [c.key for c in table.columns]
    assert not any(note.startswith("Paper:") for note in table.notes)
    assert any("no plain network" in note for note in table.notes)


def test_without_plain_or_results_cells_are_dashes(tmp_path: Path) -> None:
    gone = [("SE r=32", seed) for seed in range(6)]
    [group, _], study = families_of(tmp_path, {"skip": gone})
    table = axis_table(group, study)
    assert column(table, "verdict")["SE r=32"] == "not yet measured"
    assert column(table, "top1")["SE r=32"] == "–"


def test_a_grid_has_one_table_over_all_cells(tmp_path: Path) -> None:
    groups, study = families_of(tmp_path, design="grid", seeds=3)
    [group] = groups
    table = axis_table(group, study)
    assert len(table.rows) == 2 * 3 + 1
    assert [c.key for c in table.columns][:3] == ["variant", "axis_reduction", "axis_squeeze"]


def test_whole_variants_are_named_and_said_as_they_are_written(tmp_path: Path) -> None:
    [group], study = families_of(tmp_path, axes={"variant": ["eca", "fca"]}, include_plain=False)
    table = axis_table(group, study)
    assert [c.head for c in table.columns][:2] == ["variant", "written as"]
    assert column(table, "axis_variant")["ECA"] == "eca"


def test_details_count_pairs_and_say_what_pairing_gained(tmp_path: Path) -> None:
    [group, _], _ = families_of(tmp_path, {"skip": [("SE r=4", 0)], "rho": 0.8})
    table = detail_table("reduction", group.comparisons.values())
    assert column(table, "pairs") == {"plain": "6", "SE r=4": "5", "SE r=32": "6"}
    assert column(table, "left_out")["SE r=4"] == "1"
    assert column(table, "least_flip_p")["SE r=4"] == "0.062"


def nasty_table() -> Table:
    rows = (
        TableRow((Text(NASTY), Code("ablate run x --only 'a|b'"), Difference(-1.0, -2.0, 0.5)), "baseline"),
    )
    heads = (Column("name", NASTY, "left"), Column("code", "code", "left"), Column("d", "d"))
    return Table("t", "t", heads, rows)


def test_html_escapes_every_string() -> None:
    html = to_html(nasty_table())
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "<code>ablate run x --only &#39;a|b&#39;</code>" in html


def test_markdown_escapes_what_is_markup() -> None:
    text = to_markdown(nasty_table())
    head, _, row = text.splitlines()
    assert "<script>" not in text.replace(r"\<script>", "")
    assert r"a\|b \<script>" in head
    assert r"\[l\](u)" in row
    assert r"`ablate run x --only 'a\|b'`" in row
    assert "−1.00 [−2.00, +0.50]" in row  # intervals stay readable
    assert markdown_escape("SE_3x3 < 5 <b>, _x_") == r"SE_3x3 < 5 \<b>, \_x\_"
    assert markdown_code("a`b") == "``a`b``"


@given(st.text())
def test_no_text_breaks_a_markdown_row(text: str) -> None:
    escaped = markdown_escape(text)
    assert "|" not in escaped.replace("\\\\", "").replace(r"\|", "")
    assert "\n" not in escaped


def test_csv_holds_twelve_digits(tmp_path: Path) -> None:
    [group, _], study = families_of(tmp_path, {})
    rows = list(csv.DictReader(io.StringIO(to_csv(axis_table(group, study)))))
    outcome = group.outcomes[1]
    assert float(rows[1]["top1_mean"]) == pytest.approx(outcome.level.mean, rel=1e-11)
    difference = group.comparisons["SE r=4"].difference.mean
    assert float(rows[1]["difference"]) == pytest.approx(difference, rel=1e-11)
    assert all(len(re.sub(r"\D", "", row["top1_sd"]).lstrip("0")) <= 12 for row in rows)
    assert rows[2]["difference"] == ""


def test_the_terminal_table_shows_markup_as_text() -> None:
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO())
    console.print(
        ScreenTable(Table("t", "t", (Column("a", "a", "left"),), (TableRow((Text("[red]x[/red]"),)),)))
    )
    assert "[red]x[/red]" in console.export_text()


@pytest.mark.parametrize(
    ("name", "key"), [("recipe.lr", "recipe-lr"), ("../x", "x"), ("Größe", "gr-e"), ("?", "table")]
)
def test_file_names_are_harmless(name: str, key: str) -> None:
    assert file_key(name) == key
