"""Racing: what is trained next follows from the record alone, and stops where a verdict is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.confirmation import confirm
from ablations.analysis.results.race import play, prospects, prospects_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.compare import compare
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.planning.design import Design
from ablations.running.record.study_record import StudyRecord
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record
from tools.simulation.races import race_design, savings_table
from tools.simulation.verdicts import FEW_REAL, MARGIN, Setting, errors_of


def race_of(**changes: Any) -> Design:
    return study_design(**{"design": "race", "seeds": 10, "include_plain": False, **changes})


def run_race(
    design: Design, folder: Path, effects: dict[str, float], **noise: Any
) -> tuple[StudyRecord, list[int]]:
    """Train round by round what the race asks for; returns the record and the size of each round."""
    known = {entry["key"]: entry for entry in simulated(design, effects, **noise)}
    lines: list[dict[str, Any]] = []
    rounds = []
    while True:
        record = write_record(folder, lines)
        asked = Results(design, record).next_trials()
        if not asked:
            return record, rounds
        rounds.append(len(asked))
        lines += [known[trial.key] for trial in asked]


def test_the_first_round_gives_every_row_the_first_seeds(tmp_path: Path) -> None:
    design = race_of(race={"first": 3})
    asked = Results(design, write_record(tmp_path, [])).next_trials()
    assert [t.key for t in asked] == [row.trial(seed).key for seed in range(3) for row in design.rows]


def test_a_row_with_a_verdict_gets_no_more_seeds(tmp_path: Path) -> None:
    design = race_of(race={"futility": 0})
    record, rounds = run_race(design, tmp_path, {"SE r=4": 3.0})
    race = play(Results(design, record))
    assert race.trials == ()
    assert race.retired["SE r=4"].why == "verdict"
    assert race.retired["SE r=4"].seeds < 10
    trained = [line.trial["variant"] for line in record.trials.lines]
    assert sum("reduction=4" in variant for variant in trained) == race.retired["SE r=4"].seeds
    assert rounds[0] == 4 * len(design.rows)
    assert all(later <= len(design.rows) for later in rounds[1:])
    assert {race.asked(row.label) for row in design.rows} >= {race.seeds}


def test_a_row_without_prospects_gets_no_more_seeds(tmp_path: Path) -> None:
    lively, _ = run_race(race_of(race={"futility": 0}), tmp_path / "a", {}, sd=1.5)
    record, _ = run_race(race_of(race={"futility": 0.3}), tmp_path / "b", {}, sd=1.5)
    race = play(Results(race_of(race={"futility": 0.3}), record))
    assert {retired.why for retired in race.retired.values()} == {"out of reach"}
    assert len(record.trials.lines) < len(lively.trials.lines) == 10 * 4


def test_a_row_that_raced_to_the_end_has_used_its_seeds(tmp_path: Path) -> None:
    design = race_of(race={"futility": 1e-9})
    record, _ = run_race(design, tmp_path, {}, sd=1.5)
    raced = {retired.why for retired in play(Results(design, record)).retired.values() if retired.seeds == 10}
    assert raced == {"seeds"}


def test_the_budget_is_never_exceeded(tmp_path: Path) -> None:
    design = race_of(race={"budget": 21, "futility": 0})
    record, _ = run_race(design, tmp_path, {}, sd=1.0)
    assert 17 <= len(record.trials.lines) <= 21
    assert {retired.why for retired in play(Results(design, record)).retired.values()} == {"budget"}
    with pytest.raises(
        UserError, match=r"race\.budget is 15 trials, and the first look needs 16: 4 rows with 4 seeds"
    ):
        race_of(race={"budget": 15})


def test_a_race_says_the_same_of_the_same_lines_in_any_order(tmp_path: Path) -> None:
    design = race_of()
    record, _ = run_race(design, tmp_path, {"SE r=4": 0.6})
    lines = [line.to_line() for line in record.trials.lines]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "trials.jsonl").write_text("\n".join(reversed(lines)) + "\n")
    other = StudyRecord(tmp_path / "other")
    assert play(Results(design, other)) == play(Results(design, record))


def test_a_failed_trial_is_not_waited_for_and_is_asked_for_again_by_the_next_sweep(tmp_path: Path) -> None:
    design = race_of()
    failed = design.rows[1].trial(2)
    lines = [
        entry for entry in simulated(design) if entry["trial"]["seed"] < 4 and entry["key"] != failed.key
    ]
    record = write_record(tmp_path, [*lines, line(design, design.rows[1], 2, None)])
    assert [trial.key for trial in Results(design, record).next_trials()] == [failed.key]
    later = Results(design, record).next_trials({failed.key})
    assert later
    assert {trial.seed for trial in later} == {4}
    counts = Results(design, record).trials["status"].value_counts()
    assert counts["failed"] == 1


def test_a_row_that_only_fails_holds_nothing_up(tmp_path: Path) -> None:
    design = race_of(race={"futility": 0})
    known = {entry["key"]: entry for entry in simulated(design)}
    failing = {row.trial(seed).key for row in design.rows if row.label == "SE max" for seed in range(10)}
    lines = [
        line(design, next(c for c in design.rows if c.label == "SE max"), seed, None) for seed in range(3)
    ]
    for _ in range(12):
        record = write_record(tmp_path, lines)
        asked = [trial.key for trial in Results(design, record).next_trials(failing)]
        assert not failing & set(asked)
        lines += [known[key] for key in asked]
    results = Results(design, write_record(tmp_path, lines))
    assert results.race is not None
    assert results.race.trials == ()
    assert results.race.retired["SE max"].why == "failed"
    assert results.race.retired["SE max"].seeds == 4
    assert max(results.race.asked(row.label) for row in design.rows) > 4  # the others went on, and are shown


def test_a_row_equal_to_the_baseline_is_given_up_in_time(tmp_path: Path) -> None:
    design = race_of(seeds=20, axes={"squeeze": ["avg", "max"]})
    lines = [line(design, row, seed, 9.0) for row in design.rows for seed in range(20)]
    race = play(Results(design, write_record(tmp_path, lines)))
    assert race.retired["SE max"].why == "out of reach"
    assert race.retired["SE max"].seeds == 8


@pytest.mark.parametrize(("most", "why", "seeds"), [(10, "out of reach", 4), (20, "verdict", 14)])
def test_a_worse_row_does_not_race_on_in_vain_where_a_trial_of_the_baseline_failed(
    most: int, why: str, seeds: int, tmp_path: Path
) -> None:
    """By worst ranks "worse" has at least p = 2 * 43 / 2^10 with one failure in 10 seeds, 2 * 110 / 2^14 in 14."""
    design = race_of(seeds=most)
    effects = {"SE r=4": 3.0, "SE r=32": -3.0}
    lines = simulated(design, effects, fail=[(design.baseline.label, 1)])
    race = play(Results(design, write_record(tmp_path, lines)), {design.baseline.key(1)})
    assert (race.retired["SE r=4"].why, race.retired["SE r=4"].seeds) == (why, seeds)
    assert race.retired["SE r=32"].why == "verdict"  # "better" praises a row that did not fail
    assert race.retired["SE r=32"].seeds < 8


def test_prospects_count_the_pairs_that_failed_trials_leave() -> None:
    rng = np.random.default_rng(2)
    rows = [(name, s, 9 + rng.normal(0, 0.3)) for name in ("a", "b") for s in range(6)]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "value"])
    frame.loc[frame["seed"].isin([1, 3]), "value"] = float("nan")
    [c] = compare(frame, "a", schedule=InterimSchedule((4, 6, 8), 8))
    d = c.difference
    assert d.n == 4
    expected = prospects_of(np.array(d.mean), np.array(d.sd), 4, 6, 0.3, 0.05)
    assert prospects(c, 6, 8, 0.3, 0.05) == pytest.approx(float(expected))


def test_the_simulation_races_as_the_product_does(tmp_path: Path) -> None:
    most, studies = 8, 6
    design = race_of(seeds=most, axes={"reduction": [16, 2, 4, 8, 32, 64]}, margin=MARGIN)
    labels = [row.label for row in design.rows]
    drawn = errors_of(Setting(most, "normal", 0.5), studies, 3)[:, :, : len(labels)]
    errors = drawn + np.array([0.0, 0.6, -0.9, 0.0, 0.3, 0.0])
    decided = race_design(errors, MARGIN)
    for study in range(studies):
        lines = [
            line(design, row, seed, float(9 + errors[study, seed, place]))
            for place, row in enumerate(design.rows)
            for seed in range(most)
        ]
        race = play(Results(design, write_record(tmp_path / str(study), lines)))
        found = [race.retired[label].seeds for label in labels[1:]]
        assert found == decided.seeds[study].tolist()


def test_the_report_tells_how_the_race_went(tmp_path: Path) -> None:
    design = race_of(race={"futility": 0})
    record, _ = run_race(design, tmp_path / "results" / "tiny", {"SE r=4": 3.0})
    written = write_report(Results(design, record), tmp_path / "reports")
    assert written.markdown is not None
    text = written.markdown.read_text(encoding="utf-8")
    assert "<summary>The race</summary>" in text
    assert "its verdict is in | worse" in text
    assert (
        f"{len(record.trials.lines)} trials were asked for; the same rows with all 10 seeds each are 40"
        in text
    )
    assert "looked at more than once (7 looks, at 4 to 10 seeds)" in text
    assert f"{len(record.trials.lines)} of {len(record.trials.lines)} trials finished" in text


def test_the_winner_is_measured_again_on_fresh_seeds(tmp_path: Path) -> None:
    design = study_design(seeds=4, confirm=3)
    record = write_record(tmp_path, simulated(design, {"SE r=4": -1.0}))
    asked = Results(design, record).next_trials()
    winner = next(row for row in design.rows if row.label == "SE r=4")
    fresh = [row.trial(seed).key for seed in design.confirm_seeds for row in (winner, design.baseline)]
    assert [trial.key for trial in asked] == fresh
    assert confirm(Results(design, record)) is None
    lines = [line(design, row, seed, 8.0 + 0.1 * (seed % 3) + (row is not winner))
             for seed in design.confirm_seeds for row in (winner, design.baseline)]  # fmt: skip
    record = write_record(tmp_path, [*simulated(design, {"SE r=4": -1.0}), *lines])
    assert Results(design, record).next_trials() == ()
    found = confirm(Results(design, record))
    assert found is not None
    assert found.winner.label == "SE r=4"
    assert found.fresh.mean == pytest.approx(8.1)
    assert found.fresh_difference.mean == pytest.approx(-1.0)
    assert found.chosen.n == 4  # no fresh seed took part in the choice
    written = write_report(Results(design, record), tmp_path / "reports").markdown
    assert written is not None
    assert (
        "On fresh seeds the row with the lowest error, SE r=4, has a top-1 error of 8.10"
        in written.read_text()
    )


def test_a_study_that_was_looked_at_before_is_tested_at_both_looks() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"variant": ["a"] * 10 + ["b"] * 10, "seed": [*range(10)] * 2,
                          "value": [*rng.normal(0, 1, 10), *rng.normal(0.9, 1, 10)]})  # fmt: skip
    [once] = compare(frame, "a")
    [twice] = compare(frame, "a", schedule=InterimSchedule((5, 10), 10))
    assert once.p_corrected is not None
    assert twice.p_corrected is not None
    assert once.p_corrected < twice.p_corrected < 2 * once.p_corrected
    assert twice.difference.lo is not None
    assert once.difference.lo is not None
    assert twice.difference.lo < once.difference.lo


def test_a_row_without_pairs_counts_in_the_family_of_a_race() -> None:
    rng = np.random.default_rng(1)
    seeds = [*range(8)]
    rows = [(name, s, 9 + 0.3 * (name == "b") + rng.normal(0, 0.1)) for name in ("a", "b") for s in seeds]
    rows += [("c", s, float("nan")) for s in seeds]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "value"])
    b, c = compare(frame, "a", schedule=InterimSchedule((4, 8), 8))
    [alone] = compare(frame[frame["variant"] != "c"], "a", schedule=InterimSchedule((4, 8), 8))
    assert c.p_corrected is None
    assert alone.p_corrected is not None
    assert b.p_corrected == pytest.approx(2 * alone.p_corrected)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_racing_finds_the_real_effects_with_fewer_seeds(rho: float) -> None:
    errors = errors_of(Setting(20, "normal", rho), 1000, 4) + np.concatenate([[0.0], FEW_REAL])
    decided = race_design(errors, MARGIN)
    largest = int(np.argmax(np.abs(FEW_REAL)))
    assert (decided.sign[:, largest] == -1).mean() > 0.99
    assert decided.seeds[:, largest].mean() < 9
    assert "| rho |" in savings_table(())
