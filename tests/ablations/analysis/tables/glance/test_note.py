"""What MLflow's pages say of a study: the first screen of its report, within the length of a tag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ablations.analysis.results.results import Results
from ablations.analysis.tables.glance.glance import glance_of
from ablations.analysis.tables.glance.note import glance_note
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def noted(folder: Path, **changes: Any) -> str:
    plan = study_design(**changes)
    return glance_note(glance_of(Results(plan, write_record(folder, simulated(plan, {"plain": 3.0})))))


def test_it_has_question_answer_picture_and_cost(tmp_path: Path) -> None:
    text = noted(tmp_path)
    assert text.startswith("**Do they matter?**\n\nCompared with SE in resnet20")
    assert text.count("```") == 2
    for part in ("▼ worse", "◆", "30 of 30 trials finished", "figures/overview.png"):
        assert part in text


def test_names_act_on_nothing_in_it(tmp_path: Path) -> None:
    text = noted(tmp_path, question="<b>`x` *y*</b>", labels={"SE r=4": "```<i>"})
    assert r"\<b>" in text
    assert text.count("```") == 2


def test_of_many_rows_it_is_no_longer_than_a_tag_and_says_where_the_picture_is(tmp_path: Path) -> None:
    axes = {
        "reduction": [2, 4, 8, 16, 32],
        "squeeze": ["avg", "max"],
        "excitation": ["sigmoid", "tanh", "relu"],
    }
    axes |= {"stages": ["all", [2], [3]]}
    text = noted(tmp_path, axes=axes, design="grid", seeds=3)
    assert len(text) <= 5000
    assert "```" not in text
    assert "figures/overview.png" in text
