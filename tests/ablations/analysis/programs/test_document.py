"""The document for programs says in numbers what a report says in words, and nothing that is withheld."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

import ablations as ab
from ablations.analysis.programs.contents import document_of
from ablations.analysis.programs.document import document_schema
from ablations.analysis.results.results import Results
from ablations.api.sealing import seal_study
from ablations.planning.typed_study import plan_digest
from ablations.running.record.study_paths import StudyPaths
from tests.ablations.analysis.report.test_outcomes_in_reports import with_outcomes
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record

VALUES = {
    "SE": (8.0, 8.2, 8.4, 8.6),
    "plain": (9.0, 9.4, 9.2, 9.6),  # 1.0, 1.2, 0.8 and 1.0 more
    "SE r=4": (8.0, 8.3, 8.3, 8.6),  # 0, 0.1, -0.1 and 0 more
}


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, float):
        yield value


def by_hand(folder: Path) -> Results:
    plan = study_design(axes={"reduction": [4, 16]}, seeds=4, margin=0.2)
    lines = [line(plan, row, seed, VALUES[row.label][seed]) for row in plan.rows for seed in plan.seeds]
    return Results(plan, write_record(folder, lines))


def test_a_study_in_numbers_that_were_worked_by_hand(tmp_path: Path) -> None:
    results = by_hand(tmp_path)
    found = results.to_dict()
    assert (found["schema"], found["kind"], found["study"]) == (1, "report", "tiny")
    assert (found["question"], found["plan"]) == ("Do they matter?", plan_digest(results.design.study))
    assert found["commits"] == ["abc1234"]
    assert found["progress"] == {
        "planned": 12,
        "finished": 12,
        "failed": 0,
        "unfinished": False,
        "imported": 0,
    }
    account = found["account"]
    assert (account["rate"], account["correction"], account["members"]) == (0.05, "Holm", 2)
    assert (account["withheld"], found["baseline"], found["margin"]) == (None, "SE", 0.2)
    assert account["generalises_over"] in account["words"]
    assert found["metric"] == {
        "key": "top1", "name": "top-1 error", "unit": "%", "difference_unit": "points", "better": "lower",
    }  # fmt: skip
    rows = {row["label"]: row for row in found["rows"]}
    assert [(row["label"], row["kind"]) for row in found["rows"]] == [
        ("plain", "plain"), ("SE r=4", "variant"), ("SE", "baseline"),
    ]  # fmt: skip
    t3 = 3.182446  # the 97.5 % quantile of Student's t with 3 degrees of freedom
    half = t3 * math.sqrt(0.2 / 3) / 2
    se = rows["SE"]
    assert (se["n"], se["planned"], se["tables"], se["comparison"]) == (4, 4, ["reduction"], None)
    assert (se["mean"], se["sd"]) == (pytest.approx(8.3), pytest.approx(math.sqrt(0.2 / 3)))
    assert (se["lo"], se["hi"]) == (pytest.approx(8.3 - half), pytest.approx(8.3 + half))
    plain = rows["plain"]["comparison"]
    half = t3 * math.sqrt(0.08 / 3) / 2
    assert (plain["against"], plain["n"], plain["verdict"]) == ("SE", 4, "worse")
    assert (plain["difference"], plain["sd"]) == (pytest.approx(1.0), pytest.approx(math.sqrt(0.08 / 3)))
    assert (plain["lo"], plain["hi"]) == (pytest.approx(1 - half), pytest.approx(1 + half))
    assert plain["p"] == pytest.approx(0.001172, rel=0.01)  # t = 12.247 with 3 degrees of freedom
    assert plain["p_corrected"] == pytest.approx(2 * plain["p"])
    alike = rows["SE r=4"]["comparison"]
    assert (alike["verdict"], alike["words"]) == ("equivalent", "equivalent")
    assert alike["p_tost"] == pytest.approx(0.00814, rel=0.01)  # t = 0.2 / 0.0408 with 3 degrees of freedom
    assert alike["p_tost_corrected"] == pytest.approx(2 * alike["p_tost"])


def test_an_unfinished_study_has_means_and_nothing_to_read_a_verdict_from(tmp_path: Path) -> None:
    plan = study_design(seeds=8)
    later = [(row.label, seed) for row in plan.rows for seed in range(4, 8)]
    results = Results(plan, write_record(tmp_path, simulated(plan, {"plain": 5.0}, skip=later)))
    found = results.to_dict()
    assert found["account"]["withheld"] == "no verdict before seed 8, as planned"
    assert found["account"]["correction"] is None
    assert found["progress"]["unfinished"] is True
    plain = next(row for row in found["rows"] if row["label"] == "plain")
    assert plain["mean"] is not None
    kept = {name for name, value in plain["comparison"].items() if value is not None}
    assert kept == {"against", "n", "difference", "words", "beyond_test_set", "paired"}
    assert plain["comparison"]["words"] == "no verdict before seed 8, as planned"


def test_an_analysis_has_the_same_fields_with_a_row_for_each_task() -> None:
    frame = pd.DataFrame(
        [
            (task, name, seed, level + VALUES[name][seed])
            for task, level in (("easy", 0.0), ("hard", 20.0))
            for name in VALUES
            for seed in range(4)
        ],
        columns=["task", "variant", "seed", "value"],
    )
    results = ab.Results.from_frame(frame, baseline="SE", margin=0.2, value="loss", pairs=True)
    found = results.to_dict()
    assert (found["kind"], found["study"], found["progress"], found["commits"]) == (
        "analysis",
        None,
        None,
        None,
    )
    assert found["account"]["members"] == 4
    assert [(row["task"], row["label"]) for row in found["rows"]] == [
        (task, name) for task in ("easy", "hard") for name in VALUES
    ]
    assert [row["comparison"] and row["comparison"]["verdict"] for row in found["rows"]] == [
        None, "worse", "equivalent", None, "worse", "equivalent",
    ]  # fmt: skip
    assert {(pair["table"], pair["variant"], pair["comparison"]["against"]) for pair in found["pairs"]} >= {
        ("easy", "SE r=4", "plain"), ("hard", "plain", "SE"),
    }  # fmt: skip
    assert found["metric"]["name"] == "loss"


def test_failed_runs_and_runs_far_off_are_told(tmp_path: Path) -> None:
    plan = study_design(seeds=8)
    lines = simulated(plan, {"plain": 3.0}, fail=[("plain", 2), ("plain", 5), ("SE", 7)])
    odd = next(x for x in lines if x["trial"] == plan.on_axis("squeeze")[-1].trial(3).to_json())
    odd["result"]["top1_error"] = 30.0
    found = Results(plan, write_record(tmp_path, lines)).to_dict()
    rows = {row["label"]: row["comparison"] for row in found["rows"]}
    failures = rows["plain"]["failures"]
    assert (failures["variant"], failures["against"], failures["favours"]) == (2, 1, "baseline")
    assert 0 < failures["p"] < 0.2
    shape = rows["SE max"]["shape"]
    assert (shape["collapses"], shape["leaps"]) == (1, 0)
    assert shape["worst"] > 15 > 1 > shape["median"]
    assert any("collapses now and then" in warning for warning in found["warnings"])


def test_both_intervals_are_told_where_outcomes_are_known(tmp_path: Path) -> None:
    plan = study_design(seeds=4)
    found = with_outcomes(tmp_path / "a", plan, effects={"plain": 4.0}).to_dict()
    assert found["account"]["rests_on"] == "images"
    assert found["account"]["generalises_over"] == "new seeds and new test images, with these training images"
    assert found["account"]["generalises_over"] in found["account"]["words"]
    plain = next(row["comparison"] for row in found["rows"] if row["label"] == "plain")
    assert plain["rests_on"] == "images"
    assert (plain["images_lo"], plain["images_hi"]) == (plain["lo"], plain["hi"])
    assert plain["lo"] <= plain["seeds_lo"] < plain["seeds_hi"] <= plain["hi"]
    assert plain["p_corrected"] >= plain["p"]
    asked = with_outcomes(
        tmp_path / "b", study_design(seeds=4, rests_on="seeds"), effects={"plain": 4.0}
    ).to_dict()
    over = next(row["comparison"] for row in asked["rows"] if row["label"] == "plain")
    assert (over["lo"], over["hi"]) == (plain["seeds_lo"], plain["seeds_hi"])
    assert over["images_lo"] == plain["images_lo"]


@pytest.mark.parametrize("value", [math.nan, None])
def test_what_is_not_known_is_null_and_never_nan(value: float | None) -> None:
    rows = [(name, seed, VALUES[name][seed]) for name in VALUES for seed in range(4)]
    rows = [(name, seed, value if name == "plain" or seed else x) for name, seed, x in rows]
    rows += [("SE r=4", 9, 8.0), ("SE", 9, 8.0)]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "value"])
    text = json.dumps(ab.Results.from_frame(frame, baseline="SE", margin=0.2).to_dict(), allow_nan=False)
    found = {row["label"]: row for row in json.loads(text)["rows"]}
    assert (found["plain"]["mean"], found["plain"]["comparison"]["difference"]) == (None, None)
    assert found["plain"]["comparison"]["verdict"] == "no claim"


@pytest.mark.parametrize("changes", [{}, {"design": "grid"}, {"design": "race", "seeds": 8}, {"seeds": 1}])
def test_documents_are_as_their_schema_says(tmp_path: Path, changes: dict[str, Any]) -> None:
    plan = study_design(**changes)
    results = Results(plan, write_record(tmp_path, simulated(plan, {"plain": 3.0})))
    found = json.loads(json.dumps(results.to_dict(), allow_nan=False))
    jsonschema.validate(found, document_schema())
    assert all(map(math.isfinite, numbers(found)))
    assert {row["label"] for row in found["rows"]} == {row.label for row in plan.rows}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found, "more": 1}, document_schema())


def test_rows_of_a_sealed_plan_confirm_or_explore(tmp_path: Path) -> None:
    plan = study_design(axes={"reduction": [4, 16]})
    seal_study(plan, StudyPaths("tiny", tmp_path, tmp_path), ("SE r=4",))
    rows = Results(plan, write_record(tmp_path / "tiny", simulated(plan))).to_dict()["rows"]
    assert {row["label"]: row["standing"] for row in rows} == {
        "plain": "exploratory", "SE r=4": "confirmatory", "SE": None,
    }  # fmt: skip


def test_all_pairs_of_an_axis_are_a_family_beside_it(tmp_path: Path) -> None:
    pairs = document_of(by_hand(tmp_path), pairs=["reduction"]).pairs
    assert [(pair.table, pair.variant, pair.comparison.against) for pair in pairs] == [
        ("reduction", "SE", "SE r=4")
    ]


def test_a_row_stands_once_with_the_axes_in_whose_tables_it_is(tmp_path: Path) -> None:
    plan = study_design()
    found = Results(plan, write_record(tmp_path, simulated(plan))).to_dict()
    tables = {row["label"]: row["tables"] for row in found["rows"]}
    assert len(tables) == len(found["rows"])
    assert (tables["plain"], tables["SE max"]) == (["reduction", "squeeze"], ["squeeze"])


def test_the_page_describes_every_field() -> None:
    page = (Path(__file__).parents[4] / "docs" / "for-programs.md").read_text(encoding="utf-8")
    schema = document_schema()
    for part in (schema, *schema["$defs"].values()):
        for name in part.get("properties", ()):
            assert f"`{name}`" in page, name
