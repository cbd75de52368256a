"""What of a table is read first: seven columns at most, and nothing that a paper leaves out."""

from __future__ import annotations

from pathlib import Path

from ablations.analysis.results.results import Results
from ablations.analysis.tables.axis import axis_table
from ablations.analysis.tables.cells import Column, Table, TableRow, Text
from ablations.analysis.tables.glance.few_columns import MOST_COLUMNS, few_columns
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def made(columns: list[Column]) -> list[str]:
    table = Table("t", "", tuple(columns), (TableRow(tuple(Text("x") for _ in columns)),))
    return [column.key for column in few_columns(table).columns]


def test_columns_give_way_in_their_order_and_the_first_never() -> None:
    columns = [Column(f"c{k}", "", gives_way=k % 4) for k in range(10)]
    assert made(columns) == ["c0", "c2", "c3", "c4", "c6", "c7", "c8"]
    assert len(made([Column(f"c{k}", "") for k in range(12)])) == MOST_COLUMNS


def test_marks_count_half_and_stay_and_what_papers_leave_out_is_left_out() -> None:
    marks = [Column(f"m{k}", "", narrow=True) for k in range(9)]
    assert len(made([Column("variant", ""), *marks, Column("p", "", in_paper=False)])) == 10
    others = [Column("variant", ""), Column("second", "", gives_way=1), Column("cost", "", gives_way=2)]
    columns = [*others, *(Column(f"c{k}", "") for k in range(3)), *marks[:5]]
    assert made(columns) == ["variant", "c0", "c1", "c2", *(f"m{k}" for k in range(5))]


def test_seeds_stand_beside_a_mean_only_where_they_differ(tmp_path: Path) -> None:
    plan = study_design(axes={"reduction": [4, 16]})
    whole = Results(plan, write_record(tmp_path / "a", simulated(plan)))
    part = Results(plan, write_record(tmp_path / "b", simulated(plan, fail=[("SE r=4", 0)])))
    texts = [
        [row.cells[1].text() for row in few_columns(axis_table(results.families[0], plan.study)).rows]
        for results in (whole, part)
    ]
    assert not any("(" in text for text in texts[0])
    assert sorted(text.rpartition("(")[2] for text in texts[1]) == ["5/6)", "6)", "6)"]
