"""The ledger of looks: seeds added after a look are a second look, and are tested as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.interims import budget_note, note_analysis
from ablations.analysis.results.race import play
from ablations.analysis.results.results import Results
from ablations.api.sealing import seal_study
from ablations.planning.design import Design
from ablations.running.doctor.side_files import check_side_files
from ablations.running.record.interim_plans import FILE_NAME, read_interim_plans
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import TrialFile
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def looked(
    folder: Path, *, skip: tuple[tuple[str, int], ...] = (), **changes: Any
) -> tuple[Design, TrialFile, StudyPaths]:
    design = study_design(**changes)
    paths = StudyPaths("tiny", folder / "results", folder / "reports")
    record = write_record(paths.results, simulated(design, skip=skip))
    note_analysis(Results(design, record))
    return design, record, paths


def test_a_finished_study_is_one_look_however_often_it_is_reported(tmp_path: Path) -> None:
    for _ in range(3):
        design, record, paths = looked(tmp_path, seeds=5)
    assert paths.interim_plans.name == FILE_NAME
    [plan] = read_interim_plans(paths.results)
    assert (plan.looks, plan.most, plan.seeds) == ((5,), 5, (0, 1, 2, 3, 4))
    assert Results(design, record).schedule is None
    assert budget_note(design, Results(design, record).interim_plans) is None


def test_an_unfinished_study_is_not_a_look(tmp_path: Path) -> None:
    _, _, paths = looked(tmp_path, seeds=5, skip=(("SE", 4),))
    assert not paths.interim_plans.exists()


def test_added_seeds_are_a_second_look_and_the_report_says_what_it_costs(tmp_path: Path) -> None:
    looked(tmp_path, seeds=5)
    design, record, paths = looked(tmp_path, seeds=10)
    schedule = Results(design, record).schedule
    assert schedule is not None
    assert (schedule.at, schedule.most) == ((5, 10), 10)
    written = write_report(Results(design, record), paths.reports_dir).markdown
    assert written is not None
    text = written.read_text(encoding="utf-8")
    assert "looked at under another plan, at 5 seeds" in text
    assert "is at most 8.8 %" in text  # 5 % and the three quarters of it that the first look had not to leave


def test_a_race_declares_its_looks_and_an_extended_one_says_so(tmp_path: Path) -> None:
    design, record, paths = looked(tmp_path, seeds=8, design="race")
    assert read_interim_plans(paths.results)[0].looks == (4, 5, 6, 7, 8)
    assert budget_note(design, Results(design, record).interim_plans) is None
    longer, record, paths = looked(tmp_path, seeds=12, design="race")
    schedule = Results(longer, record).schedule
    assert schedule is not None
    assert schedule.at == tuple(range(4, 13))
    assert "at 8 seeds" in (budget_note(longer, Results(longer, record).interim_plans) or "")


def test_starting_anew_sets_the_ledger_aside_with_the_record(tmp_path: Path) -> None:
    _, _, paths = looked(tmp_path, seeds=5)
    paths.set_record_aside()
    assert read_interim_plans(paths.results) == ()
    assert len(list(paths.results.glob("looks.before-*.jsonl"))) == 1


def test_a_brief_try_with_another_recipe_is_no_look(tmp_path: Path) -> None:
    looked(tmp_path, seeds=3, recipe={"base": "cifar-quick", "epochs": 2})
    design, record, _ = looked(tmp_path, seeds=6)
    assert Results(design, record).schedule is None
    assert budget_note(design, Results(design, record).interim_plans) is None


def test_seeds_count_in_the_order_in_which_they_were_looked_at(tmp_path: Path) -> None:
    looked(tmp_path, seeds=[10, 11, 12, 13])
    design, record, _ = looked(tmp_path, seeds=[0, 1, 10, 11, 12, 13])
    schedule = Results(design, record).schedule
    assert schedule is not None
    assert (schedule.at, schedule.order) == ((4, 6), (10, 11, 12, 13, 0, 1))


def test_other_seeds_are_another_look_that_the_report_names(tmp_path: Path) -> None:
    looked(tmp_path, seeds=[10, 11, 12])
    design, record, _ = looked(tmp_path, seeds=[20, 21, 22])
    assert Results(design, record).schedule is None
    said = budget_note(design, Results(design, record).interim_plans)
    assert said is not None
    assert said.startswith("Other seeds of these rows were looked at before, too (10, 11, 12)")


def test_a_race_is_looked_at_when_every_row_has_its_first_seeds(tmp_path: Path) -> None:
    missing = tuple(("SE", seed) for seed in range(3, 8))
    _, _, paths = looked(tmp_path, seeds=8, design="race", skip=missing)
    assert not paths.interim_plans.exists()


def test_a_value_that_only_fails_does_not_keep_a_study_from_being_looked_at(tmp_path: Path) -> None:
    design = study_design(seeds=6)
    paths = StudyPaths("tiny", tmp_path / "results", tmp_path / "reports")
    failing = [("SE max", seed) for seed in range(3)]
    never = [("SE max", seed) for seed in range(3, 6)]
    record = write_record(paths.results, simulated(design, fail=failing, skip=never))
    note_analysis(Results(design, record))
    assert paths.interim_plans.exists()


def test_the_last_seed_of_a_row_may_fail_without_the_last_look_being_lost(tmp_path: Path) -> None:
    looked(tmp_path, seeds=5)
    design = study_design(seeds=10)
    paths = StudyPaths("tiny", tmp_path / "results", tmp_path / "reports")
    record = write_record(paths.results, simulated(design, {"SE max": 0.6}, fail=[("SE max", 9)]))
    family = next(f for f in Results(design, record).families if f.axis == "squeeze")
    comparison = family.comparisons["SE max"]
    assert comparison.difference.n == 9
    assert comparison.difference.lo is not None
    assert comparison.reading.verdict == "worse"


def test_between_two_looks_there_is_no_interval(tmp_path: Path) -> None:
    looked(tmp_path, seeds=5)
    design = study_design(seeds=10)
    skip = [(row.label, seed) for row in design.rows for seed in (8, 9)]
    record = write_record(tmp_path / "results" / "tiny", simulated(design, skip=skip))
    for family in Results(design, record).families:
        for comparison in family.comparisons.values():
            assert comparison.difference.n == 8
            assert comparison.difference.lo is None


OTHER_PLANS: list[dict[str, Any]] = [
    {"seeds": 3},
    {"seeds": [7, 5]},
    {"seeds": 12},
    {"seeds": [*range(4, 10)], "design": "race"},
    {"seeds": 8, "design": "race", "race": {"first": 3}},
]


@pytest.mark.parametrize("other", OTHER_PLANS, ids=str)
@pytest.mark.parametrize("place", ["tiny", "other"])
def test_what_is_looked_at_beside_a_race_or_after_it_changes_nothing_of_it(
    place: str, other: dict[str, Any], tmp_path: Path
) -> None:
    effects = {"SE r=4": 0.5, "SE max": 0.2, "plain": -0.3}
    design = study_design(seeds=8, design="race", margin=0.5)
    folder = tmp_path / "tiny"
    note_analysis(Results(design, write_record(folder, simulated(design, effects))))
    alone = Results(design, StudyRecord(folder))
    beside = study_design(**other)
    note_analysis(Results(beside, write_record(tmp_path / place, simulated(beside, effects))))
    assert StudyRecord(tmp_path / place).interim_plans
    again = Results(design, write_record(folder, simulated(design, effects)))
    assert (again.seeds, again.schedule) == (alone.seeds, alone.schedule)
    assert play(again) == play(alone)
    assert again.comparisons == alone.comparisons


def test_a_race_takes_over_what_its_own_ledger_had_before_it_unless_it_is_sealed(tmp_path: Path) -> None:
    looked(tmp_path, seeds=[2, 0, 1])
    design, record, paths = looked(tmp_path, seeds=8, design="race")
    schedule = Results(design, record).schedule
    assert schedule is not None
    assert schedule.at == (3, 4, 5, 6, 7, 8)
    (paths.results / "trials.jsonl").unlink()
    seal_study(design, paths, ())
    results = Results(design, write_record(paths.results, simulated(design)))
    assert results.schedule is not None
    assert results.schedule.at == (4, 5, 6, 7, 8)
    said = budget_note(design, results.interim_plans)
    assert said is not None
    assert "at 3 seeds" in said
    assert "is at most 10.0 %" in said


@pytest.mark.parametrize(
    ("other", "bound"),
    [
        ({"seeds": 5}, "10.0"),  # one look of its own, and all looks of the race: two budgets
        ({"seeds": 12}, "10.0"),
        ({"seeds": [4, 5, 6, 7]}, "10.0"),
        (
            {"seeds": 6, "design": "race"},
            "7.2",
        ),  # the first looks of the race itself: 5 % and 1 - (6 / 8)² of it
        ({"seeds": 8, "design": "race"}, None),  # the same looks
    ],
    ids=str,
)
def test_the_report_of_a_race_adds_the_budgets_of_others(
    other: dict[str, Any], bound: str | None, tmp_path: Path
) -> None:
    beside = study_design(**other)
    note_analysis(Results(beside, write_record(tmp_path / "results" / "other", simulated(beside))))
    design, record, _ = looked(tmp_path, seeds=8, design="race")
    said = budget_note(design, Results(design, record).interim_plans)
    if bound is None:
        assert said is None
    else:
        assert said is not None
        assert f"is at most {bound} %" in said


def test_looks_beyond_the_last_seed_of_a_study_are_not_its_own(tmp_path: Path) -> None:
    looked(tmp_path, seeds=10)
    design, record, _ = looked(tmp_path, seeds=5)
    assert Results(design, record).schedule is None
    said = budget_note(design, Results(design, record).interim_plans)
    assert said is not None
    assert "share one error budget" not in said
    assert "is at most 10.0 %" in said


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"looks": [5]}',
        '{"asked": "k", "looks": [], "most": 3, "seeds": [0]}',
        '{"asked": "k", "looks": [9], "most": 3, "seeds": [0]}',
        '{"asked": 5, "looks": [3], "most": 3, "seeds": [0]}',
        '{"asked": "k", "looks": [3], "most": 3, "seeds": ["a"]}',
        "[1]",
    ],
)
def test_a_corrupt_ledger_is_one_clear_line(tmp_path: Path, line: str) -> None:
    design, record, paths = looked(tmp_path, seeds=5)
    paths.interim_plans.write_text(paths.interim_plans.read_text() + line + "\n")
    with pytest.raises(UserError, match=r"looks\.jsonl, line 2 is corrupt"):
        Results(design, record)


@pytest.mark.parametrize("torn", [b"{", b'{"asked": "0123', b"\xff\xfe", b"null"])
def test_a_line_that_was_cut_off_blocks_nothing(tmp_path: Path, torn: bytes) -> None:
    _, _, paths = looked(tmp_path, seeds=5)
    with paths.interim_plans.open("ab") as file:
        file.write(torn)
    assert len(read_interim_plans(paths.results)) == 1
    longer, record, paths = looked(tmp_path, seeds=10)
    assert [plan.most for plan in read_interim_plans(paths.results)] == [5, 10]
    assert paths.interim_plans.read_bytes().count(b"\n") == 2
    assert Results(longer, record).schedule is not None


@pytest.mark.parametrize("name", ["looks.jsonl", "proposals.jsonl"])
def test_the_doctor_finds_and_removes_what_was_cut_off(tmp_path: Path, name: str) -> None:
    _, _, paths = looked(tmp_path, seeds=5)
    with (paths.results / name).open("ab") as file:
        file.write(b'{"asked":')
    [found] = check_side_files(paths, fix=False)
    assert "cut off after 9 bytes" in found.what
    [found] = check_side_files(paths, fix=True)
    assert found.mended
    assert list(check_side_files(paths, fix=False)) == []


@pytest.mark.parametrize("name", ["looks.jsonl", "proposals.jsonl", "forecast.json"])
def test_the_doctor_names_a_side_file_that_blocks(tmp_path: Path, name: str) -> None:
    _, _, paths = looked(tmp_path, seeds=5)
    (paths.results / name).write_text('{"schema": 99}\n')
    [found] = check_side_files(paths, fix=True)
    assert found.is_open
    assert name in found.what
