"""What a probe writes: a page with figures and tables, Parquet files, a document."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_gates import CHANNELS, CLASSES, LABELS, NINE, collected_units, gates, network, probe

from ablations.analysis.probe.class_figures import (
    class_figure,
    draw_gates,
    drawn_units,
    evenly,
    spread_figure,
)
from ablations.analysis.probe.depth_figure import depth_figure, draw_depth
from ablations.analysis.probe.document import probe_document
from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.numbers import read_probe, write_numbers
from ablations.analysis.probe.page import chosen_classes, write_probe
from ablations.analysis.probe.summary import MEASURES, NetworkSummary, summarise
from ablations.analysis.probe.tables import row_keys
from ablations.errors import RecordError
from ablations.running.probe.collecting import CollectedGates
from senet_core.errors import UserError

FEW = ("SE_2_1", "SE_3_1", "SE_3_2")
"""Units of a network whose page is made at once."""


def two_rows(names: tuple[str, ...] = FEW) -> GateProbe:
    fewer = {seed: network(seed, names=names[1:]) for seed in range(2)}
    one = probe(names=names)
    return replace(one, rows=(*one.rows, ProbedRow("SE stage 3", fewer)), notes=("One was left out.",))


def sparse_network(labels: np.ndarray) -> NetworkSummary:
    return summarise(CollectedGates(labels, collected_units(), {}), CLASSES)


def test_the_page_has_statements_tables_and_figures(tmp_path: Path) -> None:
    written = write_probe(two_rows(), tmp_path, formats=("md", "html", "latex"))
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert page.startswith("# What the gates of made do\n")
    assert "> **Mind:** One was left out." in page
    assert (
        "**Answer.** Of the paper's 6 statements on the gates of its SE-ResNet-50, each of 2 rows contradicts 0 to 1"
        in page
    )
    assert "![Measures of the gates by unit](figures/depth.svg)" in page
    for words in (
        "The paper's statements",
        "Gates by depth",
        "Gates by class: SE r=4",
        "3 trained seeds (0, 1, 2)",
    ):
        assert words in page
    assert "| Early gates are shared by the classes (SE_2_3). | SE_2_1 |" in page
    assert "| Early gates are shared by the classes (SE_2_3). | below 0.14 | " in page
    assert {path.stem for path in written.figures} == {
        "depth", "classes-se-r-4", "spread-se-r-4", "classes-se-stage-3", "spread-se-stage-3",
    }  # fmt: skip
    assert {path.suffix for path in written.figures} == {".svg", ".png", ".pdf"}
    assert all(f"figures/{path.stem}.svg" in page for path in written.figures)
    frame = pd.read_csv(tmp_path / "tables/units-se-r-4.csv")
    assert list(frame["unit"]) == list(FEW)
    shares = [network(seed, names=FEW).units[0].values["class_share"] for seed in range(3)]
    assert frame["class_share"][0] == pytest.approx(np.mean([share or 0 for share in shares]))
    assert '<figure class="wide">' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_another_probe_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/mine.csv").write_text("a", encoding="utf-8")
    write_probe(two_rows(), tmp_path)
    written = write_probe(probe(names=FEW), tmp_path)
    left = {path.name for folder in ("figures", "tables") for path in (tmp_path / folder).iterdir()}
    assert left == {path.name for path in (*written.figures, *written.tables)} | {"mine.csv"}


def test_equal_probes_have_equal_pages(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_probe(probe(names=FEW), tmp_path / name)
        write_numbers(probe(names=FEW), tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes(), file


def test_the_mean_gates_are_in_a_parquet_file(tmp_path: Path) -> None:
    by_class, units = map(pd.read_parquet, write_numbers(two_rows(), tmp_path))
    assert len(by_class) == (3 * 3 + 2 * 2) * CLASSES * CHANNELS
    one = by_class.query("row == 'SE r=4' and seed == 1 and unit == 'SE_3_1' and channel == 2")
    assert list(one["class"]) == ["cat", "dog", "emu", "fox"]
    made = gates(101)[:, 2]
    assert list(one["mean"]) == pytest.approx([made[k == LABELS].mean() for k in range(CLASSES)])
    assert list(one["deviation"]) == pytest.approx([made[k == LABELS].std(ddof=1) for k in range(CLASSES)])
    assert set(one["images"]) == {10}
    pd.testing.assert_frame_equal(units, two_rows().units)
    assert set(MEASURES) < set(units.columns)
    pd.testing.assert_frame_equal(by_class, two_rows().gates)


def test_numbers_give_the_same_page_and_numbers_again(tmp_path: Path) -> None:
    sparse = ProbedRow("SE sparse", {7: sparse_network(LABELS % 3)})  # nothing is of the last class
    first = replace(probe(names=FEW), rows=(*probe(names=FEW).rows, sparse), notes=("One was left out.",))
    write_numbers(first, tmp_path / "first")
    again = read_probe(str(tmp_path / "first"))
    assert (again.name, again.classes, again.notes) == (first.name, first.classes, first.notes)
    for name, made in (("first", first), ("again", again)):
        write_probe(made, tmp_path / name, classes=("fox", "cat"))
        write_numbers(made, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*.*"))
    assert Path("request.json") in files
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file
    assert [row.label for row in again.only(["SE sparse"]).rows] == ["SE sparse"]
    assert again.only([]) is again
    with pytest.raises(UserError, match="unknown row of the probe 'SE spars'; did you mean 'SE sparse'"):
        again.only(["SE spars"])


@pytest.mark.parametrize("name", ["gates.parquet", "units.parquet"])
def test_numbers_that_are_missing_or_damaged_are_refused(tmp_path: Path, name: str) -> None:
    write_numbers(probe(names=FEW), tmp_path)
    whole = (tmp_path / name).read_bytes()
    for content in (whole[: len(whole) // 2], b""):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordError, match="cannot read the numbers of a probe in"):
            read_probe(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RecordError, match="there are no numbers of a probe in"):
        read_probe(tmp_path)


def test_numbers_of_two_probes_are_refused(tmp_path: Path) -> None:
    write_numbers(probe(names=FEW), tmp_path)
    write_numbers(probe(seeds=2, names=FEW), tmp_path / "other")
    (tmp_path / "other" / "units.parquet").replace(tmp_path / "units.parquet")
    with pytest.raises(RecordError, match="they are not of the same networks"):
        read_probe(tmp_path)


def test_the_document_is_json_without_nan() -> None:
    document = probe_document(two_rows())
    read = json.loads(json.dumps(document, allow_nan=False))
    assert [row["label"] for row in read["rows"]] == ["SE r=4", "SE stage 3"]
    first = read["rows"][0]
    assert (first["seeds"], first["images"]) == ([0, 1, 2], 40)
    assert first["units"][0]["class_share"].keys() == {"mean", "sd", "lo", "hi", "n"}
    assert {found["judgement"] for found in first["statements"]} <= {
        "confirmed",
        "contradicted",
        "undetermined",
    }
    low = first["units"][0]["low"]
    assert low["lo"] is None or low["n"] == 3


def test_classes_are_chosen_by_name_or_spread_over_all() -> None:
    one = probe()
    assert chosen_classes(one, ["fox", "cat"]) == (3, 0)
    assert chosen_classes(one, []) == (0, 1, 2, 3)
    with pytest.raises(UserError, match="unknown class 'cta'; did you mean 'cat'"):
        chosen_classes(one, ["cta"])
    three = replace(one, rows=(ProbedRow("SE", {0: sparse_network(LABELS % 3)}),))
    assert chosen_classes(three, []) == (0, 1, 2)
    with pytest.raises(UserError, match="class 'fox' has no image among those that were probed"):
        chosen_classes(three, ["fox"])


def test_a_class_with_one_image_is_drawn_without_a_spread() -> None:
    labels = np.where(np.arange(len(LABELS)) == 0, 3, LABELS % 3)
    info = spread_figure(sparse_network(labels), ("cat", "dog", "emu", "fox"), (0, 3))
    assert np.isnan(info.panels[0].lines[1].spread or ()).all()
    assert 0 <= info.low < info.high <= 1
    assert draw_gates(info).axes


def test_rows_with_one_name_in_files_have_files_of_their_own() -> None:
    rows = [ProbedRow(label, {}) for label in ("SE r=4", "SE-r-4", "plain", "SE r 4")]
    assert row_keys(rows) == ("se-r-4", "se-r-4-2", "plain", "se-r-4-3")


def test_the_figures_have_the_gates_of_the_first_seed() -> None:
    one = network()
    info = class_figure(one, ("cat", "dog", "emu", "fox"), (1, 3))
    assert [panel.unit for panel in info.panels] == list(NINE)
    assert [line.label for line in info.panels[0].lines] == ["all images", "dog", "fox"]
    assert info.panels[4].lines[1].means == pytest.approx(one.units[4].by_class[1])
    spread = spread_figure(one, ("cat", "dog", "emu", "fox"), (1, 3))
    assert spread.panels[4].lines[1].spread == pytest.approx(one.units[4].spread[3])
    axes = draw_gates(info).axes
    assert [panel.get_title(loc="left") for panel in axes] == list(NINE)
    assert len({panel.get_ylim() for panel in axes}) == 1


def test_of_many_units_those_of_the_papers_figure_are_drawn() -> None:
    names = [
        f"SE_{stage}_{place}"
        for stage, count in ((2, 3), (3, 4), (4, 6), (5, 3))
        for place in range(1, count + 1)
    ]
    units = network(names=names).units
    assert [unit.name for unit in drawn_units(units)] == [
        "SE_2_3", "SE_3_4", "SE_4_6", "SE_5_1", "SE_5_2", "SE_5_3",
    ]  # fmt: skip
    assert evenly(3, 50) == (0, 1, 2)
    assert len(set(evenly(2048, 50))) == 50
    assert evenly(2048, 50)[::49] == (0, 2047)


def test_depth_has_a_line_for_each_row_where_it_has_units() -> None:
    info = depth_figure(two_rows(NINE).rows)
    assert info.units == NINE
    share = info.panels[0]
    assert [line.places for line in share.lines] == [tuple(range(9)), tuple(range(1, 9))]
    assert len(draw_depth(info).axes) == 6


def test_a_measure_that_no_unit_has_makes_no_panel() -> None:
    unbounded = {0: network(ends=None), 1: network(1, ends=None)}
    info = depth_figure([ProbedRow("SE relu", unbounded)])
    assert "saturated gates" not in [panel.head for panel in info.panels]
