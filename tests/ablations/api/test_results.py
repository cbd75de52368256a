"""Results of earlier runs: frames, figure, notebook's table, report; and plans and comparisons of frames."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import ablations as ab
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


@pytest.fixture
def results(tmp_path: Path) -> ab.Results:
    """Results of a study of two axes, one of whose rows failed on one seed."""
    plan = study_design()
    write_record(tmp_path / "tiny", simulated(plan, {"SE max": 3.0}, fail=[("SE r=4", 5)]))
    return ab.load_results(plan.study, results_dir=tmp_path)


def test_what_is_loaded_is_the_record(results: ab.Results) -> None:
    assert repr(results) == "<Results of study 'tiny': 5 rows, 29 of 30 trials finished>"
    assert results.trials["status"].value_counts().to_dict() == {"finished": 29, "failed": 1}
    assert {"row", "seed", "axis.reduction", "axis.squeeze", "top1_error"} <= set(results.trials.columns)
    assert len(results.history) == 29 * 4
    [failed] = results.failed.values()
    assert failed.trial["seed"] == 5


def test_a_study_without_a_record_has_missing_trials(tmp_path: Path) -> None:
    results = ab.load_results("quickstart", seeds=2, results_dir=tmp_path)
    assert set(results.trials["status"]) == {"missing"}
    assert "0 of 10 trials finished" in results._repr_html_()
    assert list(tmp_path.iterdir()) == []


def test_every_table_has_its_comparisons(results: ab.Results) -> None:
    frame = results.compare()
    assert list(frame.columns) == [
        "axis", "variant", "n", "difference", "lo", "hi", "p", "p_corrected", "p_tost_corrected", "verdict",
        "more_seeds",
    ]  # fmt: skip
    assert list(zip(frame["axis"], frame["variant"], frame["n"], strict=True)) == [
        ("reduction", "plain", 6), ("reduction", "SE r=4", 5), ("reduction", "SE r=32", 6),
        ("squeeze", "plain", 6), ("squeeze", "SE max", 6),
    ]  # fmt: skip
    assert frame.set_index("variant").loc["SE max", "verdict"] == "worse"


def test_a_figure_is_of_an_axis_and_shows_itself(results: ab.Results) -> None:
    figure = results.plot("squeeze")
    picture, size = figure._repr_png_()  # type: ignore[attr-defined]
    assert picture.startswith(b"\x89PNG")
    assert size["width"] == 525
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["SE max", "SE (baseline)", "plain"]
    for axis in (None, "gate"):
        with pytest.raises(ab.UserError, match=f"{axis!r}; .*known: reduction, squeeze"):
            results.plot(axis)


def test_the_notebook_has_a_table_with_a_caption(results: ab.Results) -> None:
    shown = results._repr_html_()
    (caption,) = re.findall("<caption>(.*)</caption>", shown)
    assert caption.startswith("tiny: 29 of 30 trials finished, 1 failed. ")
    assert "over new seeds, on these test data" in caption
    assert re.findall(r'<tr class="(\w+)"', shown) == ["plain", "variant", "baseline", "variant", "variant"]
    assert shown.count("<table>") == 1


def test_the_caption_of_a_race_names_its_intervals(tmp_path: Path) -> None:
    plan = study_design(design="race", seeds=6)
    write_record(tmp_path / "tiny", simulated(plan))
    assert "repeated 95 % interval" in ab.load_results(plan.study, results_dir=tmp_path)._repr_html_()


def test_a_report_is_written_where_one_says(results: ab.Results, tmp_path: Path) -> None:
    written = ab.write_report(results, str(tmp_path / "reports"), formats=("md", "html"))
    assert written.markdown == tmp_path / "reports" / "tiny" / "report.md"
    assert written.html is not None
    assert written.latex is None


def test_a_plan_is_returned_and_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = ab.load_study("quickstart", overrides={"axes": {"squeeze": ["avg", "max"]}}, seeds=4)
    plan = ab.plan(
        study,
        results_dir=tmp_path,
        noise=ab.NoiseSource(sd=0.5),
        detect=1.0,
        options=ab.TimingOptions(calibrate_seconds=0.0),
    )
    assert isinstance(plan, ab.StudyPlan)
    assert [(row.label, row.planned) for row in plan.rows] == [("SE r=8", 4), ("plain", 4), ("SE max r=8", 4)]
    assert plan.left == 12
    assert plan.detection is not None
    assert plan.detection.seeds is not None
    assert plan.kept == tmp_path / "quickstart" / "forecast.json"
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_anybodys_numbers_are_compared() -> None:
    frame = pd.DataFrame(
        {
            "variant": ["a"] * 4 + ["b"] * 4,
            "seed": [*range(4)] * 2,
            "value": [8.1, 8.4, 8.0, 8.3, 8.9, 9.1, 8.9, 9.2],
        }
    )
    [row] = ab.compare(frame, baseline="a").to_dict("records")
    assert (row["variant"], row["n"], row["verdict"]) == ("b", 4, "worse")
    assert row["difference"] == pytest.approx(0.825)
    [row] = ab.compare(frame, baseline="a", lower_is_better=False).to_dict("records")
    assert row["verdict"] == "better"
    with pytest.raises(ab.UserError, match="'c'"):
        ab.compare(frame, baseline="c")
    with pytest.raises(ab.UserError, match="seed"):
        ab.compare(frame.drop(columns="seed"), baseline="a")
