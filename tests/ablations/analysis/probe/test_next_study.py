"""The study that a probe writes is valid at once, and leaves out the stages nearest to a constant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_gates import NINE, network

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.next_study import next_study, place_distances, stage_distances
from ablations.analysis.results.results import Results
from ablations.planning.design import design
from ablations.planning.networks.study import NetworkStudy, network_study
from ablations.planning.study_file import load_study
from ablations.running.record.study_record import StudyRecord
from senet_core.errors import UserError

NEAR = {"between": 0.001, "within": 0.001}


def probed() -> ProbedRow:
    nearer = {name: {"within": 0.02, "between": 0.02} for name in (*NINE[:3], NINE[5])}
    still = dict.fromkeys(NINE[6:], NEAR)
    return ProbedRow("SE", {seed: network(seed, {**nearer, **still}) for seed in (0, 1)})


def study(**fields: object) -> NetworkStudy:
    content = {
        "name": "mine",
        "title": "Mine",
        "question": "Which?",
        "baseline": {"backbone": "resnet20", "variant": {"reduction": 4}, "data": "digits"},
        "recipe": {"base": "cifar-quick", "epochs": 3},
        "axes": {"squeeze": ["avg", "max"], "recipe.lr": [0.1, 0.2]},
        "seeds": [3, 5],
        "margin": 0.4,
    }
    return network_study(load_study({**content, **fields}))


def text_for(label: str, *, asked: NetworkStudy | None = None) -> str:
    asked = asked or study()
    return next_study(
        results_of(asked), GateProbe("mine", ("cat", "dog", "emu", "fox"), (replace(probed(), label=label),))
    )


def results_of(asked: NetworkStudy) -> Results:
    return Results(design(asked), StudyRecord(Path("nowhere")))


def test_stages_are_left_out_in_the_order_of_their_distance(tmp_path: Path) -> None:
    assert list(stage_distances(probed())) == [4, 2, 3]
    file = tmp_path / "next.yaml"
    file.write_text(text_for("SE max r=4 lr=0.3"), encoding="utf-8")
    made = network_study(load_study(str(file)))
    rows = design(made).rows
    assert [row.label for row in rows] == [
        "SE max r=4",
        "plain",
        "SE max r=4 stages 2,3",
        "SE max r=4 stage 3",
    ]
    assert (made.seeds, made.margin, made.recipe.lr, made.recipe.epochs) == ((3, 5), 0.4, 0.3, 3)
    assert made.recipe.precision == "auto"


def test_units_before_the_last_of_a_stage_are_left_out_where_they_are_nearer_to_a_constant(
    tmp_path: Path,
) -> None:
    row = ProbedRow("SE r=4 lr=0.1", {0: network(changed=dict.fromkeys((NINE[0], NINE[3], NINE[6]), NEAR))})
    assert list(place_distances(row)) == ["others", "last"]
    file = tmp_path / "next.yaml"
    file.write_text(next_study(results_of(study()), GateProbe("mine", (), (row,))), encoding="utf-8")
    assert "SE r=4 last unit" in [row.label for row in design(load_study(str(file))).rows]
    assert "units:" not in text_for("SE r=4 lr=0.1")


def test_it_says_what_it_is_from() -> None:
    lines = text_for("SE r=4 lr=0.1").splitlines()
    assert lines[0] == (
        "# From `ablate probe mine --only 'SE r=4 lr=0.1'`: row 'SE r=4 lr=0.1', seeds 0, 1, 40 test images."
    )
    assert lines[1] == "# Distance of the gates from a constant for each channel (0: the gates say nothing):"
    assert lines[2].startswith("# stage 4 0.00")
    assert "without any error" in "".join(lines[3:5])


def test_of_several_rows_the_baseline_is_taken_or_one_is_to_be_named() -> None:
    asked = results_of(study())
    rows = [replace(probed(), label=row.label) for row in asked.design.rows if row.label != "plain"]
    baseline = asked.design.baseline.label
    assert f"row {baseline!r}" in next_study(asked, GateProbe("mine", (), tuple(rows)))
    others = tuple(row for row in rows if row.label != baseline)
    with pytest.raises(UserError, match=f"name it by `rows`, one of {others[0].label}, "):
        next_study(asked, GateProbe("mine", (), others))


def test_a_row_with_gates_in_one_stage_leads_nowhere() -> None:
    last = dict.fromkeys(NINE[2:3], NEAR)
    one = ProbedRow("SE r=4 lr=0.1", {0: network(changed=last, names=NINE[:3])})
    with pytest.raises(
        UserError, match=r"row 'SE r=4 lr=0.1' has gates in stage 2 only, and none there that can be left out"
    ):
        next_study(results_of(study()), GateProbe("mine", (), (one,)))
