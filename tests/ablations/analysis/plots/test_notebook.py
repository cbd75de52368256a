"""What a notebook shows of results begins with the first screen of their report."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

import ablations as ab
from ablations.analysis.results.results import Results
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def test_a_study_shows_question_answer_picture_and_cost_above_its_table(tmp_path: Path) -> None:
    plan = study_design(question="<b>?", axes={"reduction": [4, 16]}, seeds=3)
    shown = Results(plan, write_record(tmp_path, simulated(plan)))._repr_html_()
    order = (
        "&lt;b&gt;?",
        "shown to be lower or higher",
        "data:image/svg+xml;base64,",
        "9 of 9 trials",
        "<table>",
    )
    assert [shown.index(part) for part in order] == sorted(shown.index(part) for part in order)


def test_a_frame_shows_the_same() -> None:
    rows = [(name, seed, seed + shift) for name, shift in (("a", 0.0), ("b", 5.0)) for seed in range(8)]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "value"])
    shown = ab.Results.from_frame(frame, baseline="a", value="loss")._repr_html_()
    assert re.search(r"the loss is higher for b \(by 5\.00\)", shown)
    assert shown.index("data:image/svg+xml;base64,") < shown.index("<table>")
