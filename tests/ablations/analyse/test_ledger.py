"""The ledger of looks: seeds added after a look are a second look, and are tested as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analyse.frame import collect
from ablations.analyse.ledger import FILE_NAME, budget_note, note_look, read_plans
from ablations.analyse.report import write_report
from ablations.plan.design import Design
from ablations.run.places import Places
from ablations.run.record import Record
from senet_core.errors import UserError
from tests.ablations.analyse.synthetic import simulated, study_design, write_record


def looked(
    folder: Path, *, skip: tuple[tuple[str, int], ...] = (), **changes: Any
) -> tuple[Design, Record, Places]:
    design = study_design(**changes)
    places = Places("tiny", folder / "results", folder / "reports")
    record = write_record(places.results, simulated(design, skip=skip))
    note_look(design, places, record)
    return design, record, places


def test_a_finished_study_is_one_look_however_often_it_is_reported(tmp_path: Path) -> None:
    for _ in range(3):
        design, record, places = looked(tmp_path, seeds=5)
    assert places.looks.name == FILE_NAME
    assert places.looks.read_text() == '{"looks": [5], "most": 5}\n'
    assert collect(design, record).schedule is None
    assert budget_note(design, read_plans(places.results)) is None


def test_an_unfinished_study_is_not_a_look(tmp_path: Path) -> None:
    _, _, places = looked(tmp_path, seeds=5, skip=(("SE", 4),))
    assert not places.looks.exists()


def test_added_seeds_are_a_second_look_and_the_report_says_what_it_costs(tmp_path: Path) -> None:
    looked(tmp_path, seeds=5)
    design, record, places = looked(tmp_path, seeds=10)
    schedule = collect(design, record).schedule
    assert schedule is not None
    assert (schedule.at, schedule.most) == ((5, 10), 10)
    written = write_report(design, record, places.reports_dir).markdown
    assert written is not None
    text = written.read_text(encoding="utf-8")
    assert "looked at before its present plan was made, at 5 seeds" in text
    assert "is at most 8.8 %" in text  # 5 % and the three quarters of it that the first look had not to leave


def test_a_race_declares_its_looks_and_an_extended_one_says_so(tmp_path: Path) -> None:
    design, record, places = looked(tmp_path, seeds=8, design="race")
    assert read_plans(places.results)[0].looks == (4, 5, 6, 7, 8)
    assert budget_note(design, read_plans(places.results)) is None
    longer, record, places = looked(tmp_path, seeds=12, design="race")
    schedule = collect(longer, record).schedule
    assert schedule is not None
    assert schedule.at == tuple(range(4, 13))
    assert "at 8 seeds" in (budget_note(longer, read_plans(places.results)) or "")


def test_starting_anew_sets_the_ledger_aside_with_the_record(tmp_path: Path) -> None:
    _, _, places = looked(tmp_path, seeds=5)
    places.set_record_aside()
    assert read_plans(places.results) == ()
    assert len(list(places.results.glob("looks.before-*.jsonl"))) == 1


@pytest.mark.parametrize(
    "line", ["{", '{"looks": [5]}', '{"looks": [], "most": 3}', '{"looks": [9], "most": 3}', "[1]"]
)
def test_a_corrupt_ledger_is_one_clear_line(tmp_path: Path, line: str) -> None:
    design, record, places = looked(tmp_path, seeds=5)
    places.looks.write_text(f'{{"looks": [5], "most": 5}}\n{line}\n')
    with pytest.raises(UserError, match=r"looks\.jsonl, line 2 is corrupt"):
        collect(design, record)
