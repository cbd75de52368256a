"""Results on several data sets: each row against its own baseline, one correction over all, sections for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.programs.contents import document_of
from ablations.analysis.report.content import content_of
from ablations.analysis.results.noise import own_noise
from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import make_seal
from ablations.analysis.tables.provenance import warnings
from ablations.analysis.tables.summary import summary_table
from ablations.planning.design import Design
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record

OTHER = "cifar100"
EFFECTS = {
    "SE r=4 on cifar10": 1.5, "SE r=4 on cifar100": -1.5,
    **{f"{label} on cifar100": 30.0 for label in ("SE", "plain", "SE r=32", "SE max")},
}  # fmt: skip
DIGESTS = {"cifar10": "a" * 64, OTHER: "b" * 64}


def both(**changes: Any) -> Design:
    return study_design(
        axes={"reduction": [4, 16, 32], "squeeze": ["avg", "max"], "data": [OTHER]}, **changes
    )


def lines_of(plan: Design, effects: dict[str, float] = EFFECTS, **noise: Any) -> list[dict[str, Any]]:
    made = simulated(plan, {**effects, "SE r=4 on cifar100": 28.5}, **noise)
    return [{**one, "data_digest": DIGESTS[one["trial"]["data"]["name"]]} for one in made]


def results_of(folder: Path, plan: Design, **noise: Any) -> Results:
    return Results(plan, write_record(folder, lines_of(plan, **noise)))


def test_rows_are_compared_with_the_baseline_on_their_own_data(tmp_path: Path) -> None:
    results = results_of(tmp_path, both())
    found = results.comparisons
    assert {c.against for c in found.values()} == {"SE on cifar10", "SE on cifar100"}
    assert found["SE r=4 on cifar10"].reading.verdict == "worse"
    assert found["SE r=4 on cifar100"].reading.verdict == "better"
    assert abs(found["plain on cifar100"].difference.mean or 0) < 1
    assert {c.members for c in found.values()} == {8}


def test_differences_are_those_of_a_study_for_each_and_p_is_corrected_over_both(tmp_path: Path) -> None:
    results = results_of(tmp_path, both(), sd=0.5)
    alone = study_design()
    own = [one for one in lines_of(both(), sd=0.5) if one["trial"]["data"]["name"] == "cifar10"]
    single = Results(alone, write_record(tmp_path / "alone", own))
    for label, comparison in single.comparisons.items():
        joint = results.comparisons[f"{label} on cifar10"]
        assert joint.difference == comparison.difference
        assert (joint.p_corrected or 0) >= (comparison.p_corrected or 0)


def test_tables_are_of_one_data_set_each(tmp_path: Path) -> None:
    results = results_of(tmp_path, both())
    assert [family.name for family in results.families] == [
        "reduction on cifar10", "squeeze on cifar10", "reduction on cifar100", "squeeze on cifar100",
    ]  # fmt: skip
    assert {family.baseline for family in results.families} == {"SE on cifar10", "SE on cifar100"}
    assert {family.plain for family in results.families} == {"plain on cifar10", "plain on cifar100"}
    assert list(results.compare()["task"].unique()) == ["cifar10", OTHER]
    assert "SE r=4 on cifar100" in results.to_latex("reduction on cifar100")
    with pytest.raises(UserError, match="unknown axis of this study's tables 'reduction'"):
        results.plot("reduction")
    verdicts = {row.cells[0].text(): row.cells[-1].text() for row in summary_table(results).rows}
    assert (verdicts["SE on cifar10"], verdicts["SE on cifar100"]) == ("baseline", "baseline")


def test_a_report_says_for_each_data_set_what_it_found_and_what_holds_over_both(tmp_path: Path) -> None:
    results = results_of(tmp_path, both())
    content = content_of(results, pairs=["reduction"])
    assert content.sections[0].title == "Axis: reduction on cifar10"
    assert [s.split(":")[0] for s in content.answer] == ["On cifar10", "On cifar100"]
    keys = [table.key for table in content.tables()]
    assert len(keys) == len(set(keys))
    plots = [plot.key for plot in content.plots()]
    assert len(plots) == len(set(plots))
    [over] = [extra for extra in content.extras if extra.title == "Over all data sets"]
    [row] = [row for row in over.tables[0].rows if row.cells[0].text() == "SE r=4"]
    assert [cell.text() for cell in row.cells[1:3]] == ["1 of 2", "1 of 2"]
    assert not any("did not all see the same data" in said for said in warnings(results))
    [pairs] = [extra for extra in content.extras if extra.title == "All pairs of reduction"]
    assert len(pairs.tables[0].rows) == 6


def test_other_images_under_one_name_are_said(tmp_path: Path) -> None:
    plan = both()
    lines = lines_of(plan)
    lines[0]["data_digest"] = "c" * 64
    [said] = [s for s in warnings(Results(plan, write_record(tmp_path, lines))) if "same data" in s]
    assert said == "The trials of cifar10 did not all see the same data: there are 2 different digests."


def test_a_document_for_programs_has_the_task_of_each_row(tmp_path: Path) -> None:
    document = document_of(results_of(tmp_path, both()))
    assert {row.task for row in document.rows} == {"cifar10", OTHER}
    assert {row.comparison.against for row in document.rows if row.comparison and row.task == OTHER} == {
        "SE on cifar100"
    }


def test_spread_is_judged_on_its_own_data_set(tmp_path: Path) -> None:
    """A data set whose runs spread ten times as much as another's does not make outliers of all of them."""
    plan = both(seeds=10)
    wide = {one["key"]: one for one in lines_of(plan, sd=2.0)}
    narrow = lines_of(plan, sd=0.02)
    mixed = [wide[one["key"]] if one["trial"]["data"]["name"] == OTHER else one for one in narrow]
    results = Results(plan, write_record(tmp_path, mixed))
    shapes = [c.shape for label, c in results.comparisons.items() if label.endswith(OTHER)]
    alone = Results(
        study_design(seeds=10), write_record(tmp_path / "alone", simulated(study_design(seeds=10), sd=2.0))
    )
    odd = [bool(s and (s.collapses or s.leaps)) for s in shapes]
    assert sum(odd) <= 1
    assert len(odd) == len(alone.comparisons)


def test_a_seed_does_something_of_its_own_on_each_data_set(tmp_path: Path) -> None:
    noise = own_noise(results_of(tmp_path, both(seeds=12), sd=0.5, rho=0.0))
    assert noise is not None
    assert (noise.rows, noise.seeds, noise.freedom) == (10, 12, 2 * 4 * 11)
    assert noise.sd == pytest.approx(0.5 * 2**0.5, rel=0.2)


def test_a_race_ends_row_by_row_and_keeps_a_baseline_while_its_rows_race(tmp_path: Path) -> None:
    plan = both(design="race", race={"first": 3, "futility": 0}, seeds=8, include_plain=False)
    known = {one["key"]: one for one in lines_of(plan, sd=1.0)}
    for row in plan.rows:  # on cifar10 every other row is far off, and has its verdict early
        if row.task == "cifar10" and row.label != "SE on cifar10":
            for seed in plan.seeds:
                known[row.key(seed)]["result"]["top1_error"] += 20.0
    lines: list[dict[str, Any]] = []
    while asked := (results := Results(plan, write_record(tmp_path, lines))).next_trials():
        lines += [known[trial.key] for trial in asked]
    assert results.race is not None
    trained = {
        row.label: sum(row.key(seed) in {one["key"] for one in lines} for seed in plan.seeds)
        for row in plan.rows
    }
    assert (
        trained["SE on cifar10"] == max(trained[label] for label in trained if label.endswith("cifar10")) < 8
    )
    assert trained["SE on cifar100"] == 8
    assert not results.unfinished, "the baseline on cifar10 is asked for no more seeds than its rows"
    assert results.race.retired["SE on cifar10"].why == "rows"


def test_the_best_row_of_each_data_set_is_confirmed(tmp_path: Path) -> None:
    plan = both(confirm=2)
    lines = lines_of(plan)
    asked = Results(plan, write_record(tmp_path, lines)).next_trials()
    found = {plan.by_key[trial.key][0].label for trial in asked}
    assert {"SE on cifar10", "SE on cifar100", "SE r=4 on cifar100"} <= found
    lines += [
        {**line(plan, plan.by_key[t.key][0], t.seed, 8.0), "data_digest": DIGESTS[plan.by_key[t.key][0].task]}
        for t in asked
    ]
    results = Results(plan, write_record(tmp_path, lines))
    assert results.next_trials() == ()
    titles = [extra.title for extra in content_of(results).extras]
    assert {f"The best row on fresh seeds, {name}" for name in ("cifar10", OTHER)} <= set(titles)


def test_a_seal_names_any_row_that_is_compared(tmp_path: Path) -> None:
    plan = both()
    results = Results(plan, write_record(tmp_path, []))
    assert make_seal(results, ["SE r=4 on cifar100"], ()).primary == ("SE r=4 on cifar100",)
    with pytest.raises(UserError, match="unknown row to compare with the baseline 'SE on cifar100'"):
        make_seal(results, ["SE on cifar100"], ())


def test_interactions_are_of_one_data_set_each(tmp_path: Path) -> None:
    plan = study_design(
        design="grid",
        axes={"reduction": [4, 16], "squeeze": ["avg", "max"], "data": [OTHER]},
        include_plain=False,
    )
    results = results_of(tmp_path, plan)
    assert results.combinations is None
    fits = [part.combinations for part in results.tasks]
    assert all(fit is not None and len(fit.plots) == 1 for fit in fits)
