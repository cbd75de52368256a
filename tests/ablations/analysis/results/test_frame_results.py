"""`Results.from_frame`: table, plot and report of runs from anywhere, and one line for frames that are wrong."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import ablations as ab
from ablations.analysis.plots.data import axis_info
from ablations.analysis.report.folder import FORMATS
from ablations.analysis.results.frame_results import frame_results
from ablations.analysis.tables.frame import family_table

SHIFTS = {"SE": 0.0, "worse": -1.0, "alike": 0.01}


def runs(**levels: float) -> pd.DataFrame:
    """Six seeds of each variant, in each of the tasks at these levels; without levels, a frame without tasks."""
    rows = [
        (task, name, seed, level + 0.1 * seed + shift + 0.02 * ((seed * place) % 5))
        for task, level in (levels or {"": 90.0}).items()
        for place, (name, shift) in enumerate(SHIFTS.items(), 1)
        for seed in range(6)
    ]
    frame = pd.DataFrame(rows, columns=["task", "variant", "seed", "value"])
    return frame if levels else frame.drop(columns="task")


def test_a_frame_is_compared_as_by_compare() -> None:
    results = ab.Results.from_frame(runs(), baseline="SE", margin=0.2, lower_is_better=False)
    plain = ab.compare(runs(), baseline="SE", margin=0.2, lower_is_better=False)
    pd.testing.assert_frame_equal(results.compare().drop(columns="task"), plain)
    assert list(plain["verdict"]) == ["worse", "equivalent"]


def test_table_and_plot_show_every_variant_by_the_name_of_its_values() -> None:
    results = ab.Results.from_frame(runs(), baseline="SE", lower_is_better=False, value="accuracy")
    [family] = results.families
    table, info = family_table(family), axis_info(family)
    assert [row.kind for row in table.rows] == ["baseline", "variant", "variant"]
    assert "accuracy" in [column.head for column in table.columns]
    assert table.rows[1].cells[1].text() == "89.283 ± 0.199 (6)"
    assert (info.head, info.difference_head, info.margin) == ("accuracy", "difference", None)
    assert not info.lower_is_better
    assert [len(row.values) for row in info.rows] == [6, 6, 6]
    heads = [axes.get_xlabel().split("\n") for axes in results.plot().axes]
    assert heads == [["accuracy", "higher is better"], ["difference", "higher is better"]]
    assert results._repr_html_().count("<tr class=") == 3


def test_tasks_are_families_and_are_aggregated() -> None:
    results = ab.Results.from_frame(runs(easy=90, hard=70), baseline="SE", pairs=True)
    assert list(results.compare()["task"]) == ["easy", "easy", "hard", "hard"]
    assert [a.tasks for a in results.aggregates] == [2, 2, 2]
    assert {task: len(found) for task, found in results.pairs.items()} == {"easy": 3, "hard": 3}
    for title in ("Task: hard", "All pairs of task easy", "Over all tasks"):
        assert f"<h4>{title}</h4>" in results._repr_html_()
    assert results.plot("hard").axes
    with pytest.raises(ab.UserError, match="unknown task 'hart'; did you mean 'hard'"):
        results.plot("hart")


def test_a_task_without_the_baseline_is_left_out() -> None:
    frame = runs(easy=90, hard=70)
    frame = frame[(frame["task"] == "easy") | (frame["variant"] != "SE")]
    assert [family.axis for family in ab.Results.from_frame(frame, baseline="SE").families] == ["easy"]


def test_a_report_has_every_format_with_figures_and_tables(tmp_path: Path) -> None:
    frame = runs(easy=90, hard=70)
    frame.loc[3, "value"] = float("nan")
    results = ab.Results.from_frame(frame, baseline="SE", margin=0.2, value="acc_1", pairs=True)
    paths = ab.write_report(results, tmp_path, formats=tuple(FORMATS))
    assert paths.folder == tmp_path
    for path in (paths.markdown, paths.html, paths.latex):
        assert path is not None
        text = path.read_text(encoding="utf-8")
        for words in ("Task: hard", "All pairs of task easy", "Over all tasks", "1 run has no value"):
            assert words in text
        for words in ("Set-up", "Short answer", "Make each row again", "top-1", "points"):
            assert words not in text
    assert {path.name for path in paths.figures} >= {"task-easy.svg", "task-hard.png"}
    stems = {"task-easy", "task-easy-comparisons", "task-easy-pairs", "aggregates"}
    assert {path.stem for path in paths.tables} >= stems
    with pytest.raises(ab.UserError, match="all pairs of a frame are asked for by"):
        ab.write_report(results, tmp_path, pairs=("easy",))


def test_without_a_margin_nothing_is_said_of_one(tmp_path: Path) -> None:
    written = ab.write_report(ab.Results.from_frame(runs(), baseline="SE"), tmp_path).markdown
    assert written is not None
    assert "margin" not in written.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "baseline", "said"),
    [
        (lambda f: f.rename(columns={"seed": "sed"}), "SE", "unknown column 'seed'; did you mean 'sed'"),
        (lambda f: pd.concat([f, f[3:4]]), "SE", "variant 'SE' of task 'easy' has seed 3 more than once"),
        (lambda f: f.drop(columns="task")[:18], "S", "unknown variant 'S'; did you mean 'SE'"),
        (lambda f: f.drop(columns="task"), "SE", "variant 'SE' has seed 0 more than once"),
        (lambda f: f[f["variant"] == "SE"], "SE", "there is one variant, 'SE'"),
        (lambda f: f[(f["variant"] == "SE") == (f["seed"] < 1)], "SE", "no variant shares a measured seed"),
        (lambda f: f.assign(value="high"), "SE", "the column 'value' must hold numbers"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said_in_one_line(
    change: Callable[[pd.DataFrame], pd.DataFrame], baseline: str, said: str
) -> None:
    with pytest.raises(ab.UserError, match=said) as raised:
        ab.Results.from_frame(change(runs(easy=90, hard=70)), baseline=baseline)
    assert len(str(raised.value).splitlines()) == 1


def test_runs_without_a_common_seed_are_told_as_what_they_are() -> None:
    frame = pd.DataFrame(
        [("a", s, 9 + 0.1 * s) for s in range(4)] + [("b", 10 + s, 11 + 0.1 * s) for s in range(4)],
        columns=["variant", "seed", "value"],
    )
    results = ab.Results.from_frame(frame, baseline="a", margin=0.2)
    [family] = results.families
    assert [(sample.level.n, sample.planned) for sample in family.outcomes] == [(4, 4), (4, 4)]
    assert not family.comparisons["b"].paired
    shown = family_table(family)
    assert "Welch's t-test" in shown.notes[1]
    assert "sign-flip" not in " ".join(shown.notes)


def test_the_example_in_the_docstring_holds() -> None:
    [example] = doctest.DocTestFinder().find(frame_results)
    assert doctest.DocTestRunner().run(example).failed == 0
