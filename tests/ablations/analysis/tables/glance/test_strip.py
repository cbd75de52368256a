"""The picture of all rows on a terminal: at eighty columns, each row once, marks where the values are."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.glance.glance import glance_of
from ablations.analysis.tables.glance.rows import GlanceRow, GlanceRows
from ablations.analysis.tables.glance.strip import legend_line, strip_table
from ablations.commands.shared.glance import print_glance
from ablations.planning.metric import Metric
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

METRIC = Metric("top1", "top-1 error", "%", "points")


def printed(folder: Path, *, colours: bool = False, skip: tuple[tuple[str, int], ...] = ()) -> str:
    plan = study_design()
    record = write_record(folder, simulated(plan, {"plain": 3.0}, skip=skip))
    kind = "truecolor" if colours else None
    console = Console(
        width=80,
        record=True,
        file=io.StringIO(),
        force_terminal=colours,
        color_system=kind,  # type: ignore[arg-type]
    )
    print_glance(console, glance_of(Results(plan, record)))
    return console.export_text(styles=colours)


def test_it_fits_eighty_columns(tmp_path: Path) -> None:
    text = printed(tmp_path)
    for part in ("SE r=32", "○ undetermined", "▼ worse", "baseline", "+3.", "30 of 30 trials finished", "◆"):
        assert part in text
    assert "Not shown in 80 columns: choice." in text  # numbers stay
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "higher for the plain network" in " ".join(text.split())


def test_a_verdict_has_its_colour(tmp_path: Path) -> None:
    assert "38;2;194;84;0" in printed(tmp_path, colours=True)  # #C25400: worse


def test_an_unfinished_study_is_called_so_and_names_what_is_not_measured(tmp_path: Path) -> None:
    text = printed(tmp_path, skip=tuple(("SE max", seed) for seed in range(6)))
    assert "The study is unfinished: 24 of 30 trials have a result." in text
    assert "Not measured yet: SE max" in text
    assert "worse" not in text
    assert "so far" in text


def test_marks_stand_where_the_values_are() -> None:
    rows = (
        GlanceRow("a", "variant", "better", Interval(-1.0, -1.4, -0.6), published=1.0),
        GlanceRow("b", "baseline", "", Interval(0.0, None, None)),
        GlanceRow("c", "variant", "worse", Interval(1.0, 0.6, 1.4)),
    )
    shown = GlanceRows(rows, None, METRIC)
    first, base, last = (row.cells[1].text() for row in strip_table(shown).rows)
    assert len({len(first), len(base), len(last)}) == 1
    assert first.index("▲") < first.index("│") < first.index("×") == last.index("▼")
    assert base.index("◆") == first.index("│") == len(base) // 2
    assert "─▲─" in first
    assert legend_line(shown) == "better is to the left   × the paper's one run"
