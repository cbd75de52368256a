"""The study that a probe writes is valid at once, and leaves out the stages nearest to a constant."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_gates import NINE, network

from ablations.analysis.probe.gate_probe import ProbedRow
from ablations.analysis.probe.next_study import next_study, stage_distances
from ablations.planning.design import design
from ablations.planning.networks.row import network_row
from ablations.planning.networks.study import NetworkStudy, network_study
from ablations.planning.study_file import load_study
from senet_core.errors import UserError

NEAR = {"between": 0.001, "within": 0.001}


def probed() -> ProbedRow:
    nearer = {name: {"within": 0.02, "between": 0.02} for name in NINE[:3]}
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
    row = network_row(design(asked).only([label]).rows[0])
    return next_study(asked, row, probed(), command="ablate probe mine")


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


def test_it_says_what_it_is_from() -> None:
    lines = text_for("SE r=4 lr=0.1").splitlines()
    assert lines[0] == "# From `ablate probe mine`: row 'SE', seeds 0, 1, 40 test images."
    assert lines[1].startswith(
        "# Distance of the gates from a constant for each channel (0: the gates say nothing): stage 4 0.00"
    )
    assert "without any error" in "".join(lines[2:4])


def test_a_row_with_gates_in_one_stage_leads_nowhere() -> None:
    asked = study()
    one = ProbedRow("SE", {0: network(names=NINE[:3])})
    with pytest.raises(
        UserError, match=r"row 'SE r=4 lr=0.1' has gates in stage 2 only: none can be left out"
    ):
        next_study(asked, network_row(design(asked).only(["SE r=4 lr=0.1"]).rows[0]), one, command="")
