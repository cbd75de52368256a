"""A report says in which classes the variants help, once outcomes are known, and never without."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablations.analysis.plots.by_class import (
    MOST_CLASSES,
    MOST_PANELS,
    ByClassInfo,
    ClassPanel,
    draw_by_class,
)
from ablations.analysis.report.parts import Extra
from ablations.analysis.report.sections import extras_of
from ablations.analysis.results.outcomes.by_class import by_class
from ablations.analysis.results.results import Results
from ablations.analysis.tables.outcomes.by_class import TITLE, agreement_table
from ablations.analysis.tables.render import to_csv, to_html, to_markdown
from ablations.running.record.image_labels import ImageLabels, keep_labels
from ablations.running.record.outcomes import FOLDER, Outcomes, hash_of
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from tests.ablations.analysis.plots.test_readable import covered, outside
from tests.ablations.analysis.synthetic import simulated, study_design

CLASSES = ("cat", "<script>dog</script>", "ship | lorry", "frog")
IMAGES = 800
LABELS = np.arange(IMAGES) % len(CLASSES)
BETTER, WORSE = "SE r=4", "SE max"


def recorded(
    folder: Path, *, classes: tuple[str, ...] | None = CLASSES, gone: int = 0, **changes: Any
) -> Results:
    """A study in which one row is better in cats and one is worse in frogs, and nothing else differs."""
    plan, draw = (
        study_design(**{"axes": {"reduction": [4, 16], "squeeze": ["avg", "max"]}, "seeds": 5, **changes}),
        {},
    )
    record = StudyRecord(folder)
    lines = simulated(plan)
    for number, told in enumerate(lines[: len(lines) - gone]):
        line = TrialRecord.from_line(json.dumps(told))
        row, seed = plan.by_key[line.key]
        shared = draw.setdefault(seed.seed, np.random.default_rng(seed.seed).normal(size=IMAGES))
        hard = np.random.default_rng(99).normal(size=IMAGES) + 0.3 * shared
        own = 0.3 * np.random.default_rng(1000 + number).normal(size=IMAGES)
        shift = 0.5 * (LABELS == 0) * (row.label == BETTER) - 0.5 * (LABELS == 3) * (row.label == WORSE)
        right = hard + own < 1 + shift
        content = Outcomes(line.key, line.data_digest, right).to_bytes()
        error = 100 * int(np.count_nonzero(~right)) / IMAGES
        assert line.result is not None
        result = replace(line.result, top1_error=error, outcomes_sha256=hash_of(content))
        record.add_trials(replace(line, result=result), outcomes={line.key: content})
    if classes is not None:
        keep_labels(folder, ImageLabels("d" * 64, classes, LABELS))
    return Results(plan, record)


def section(results: Results) -> Extra | None:
    return next((extra for extra in extras_of(results, ()) if extra.title == TITLE), None)


def test_the_classes_that_differ_are_named_and_no_others(tmp_path: Path) -> None:
    found = section(recorded(tmp_path))
    assert found is not None
    table, _ = found.tables
    named = {row.cells[0].text(): (row.cells[1].text(), row.cells[2].text()) for row in table.rows}
    assert named.pop(BETTER) == ("cat", "–")
    assert named.pop(WORSE) == ("–", "frog")
    assert set(named.values()) <= {("–", "–")}
    lowest = next(row.cells[3].text() for row in table.rows if row.cells[0].text() == BETTER)
    assert re.fullmatch(r"cat −[\d.]+ \[−[\d.]+, −[\d.]+\]", lowest)
    [plot] = found.plots
    assert isinstance(plot.data, ByClassInfo)
    filled = {p.label: sum(differs for *_, differs in p.points) for p in plot.data.panels}
    assert filled == {**dict.fromkeys(named, 0), BETTER: 1, WORSE: 1}


def test_the_csv_has_every_class_of_every_row_and_every_pair_of_rows(tmp_path: Path) -> None:
    results = recorded(tmp_path)
    found = section(results)
    assert found is not None
    classes, pairs = (list(csv.DictReader(io.StringIO(to_csv(table)))) for table in found.tables)
    rows = len(results.design.rows)
    assert len(classes) == (rows - 1) * len(CLASSES)
    assert len(pairs) == rows + rows * (rows - 1) // 2
    one = next(line for line in classes if line["variant"] == BETTER and line["class"] == "cat")
    by_hand = []
    record = results.record
    for seed in results.design.seeds:
        keys = {row.label: row.trial(seed).key for row in results.design.rows}
        ours, theirs = (record.outcomes(keys[label]) for label in (BETTER, results.design.baseline.label))
        assert ours is not None
        assert theirs is not None
        by_hand.append(100 * ((~ours[LABELS == 0]).mean() - (~theirs[LABELS == 0]).mean()))
    assert float(one["difference"]) == pytest.approx(np.mean(by_hand))
    assert float(one["difference_lo"]) < np.mean(by_hand) < float(one["difference_hi"]) < 0


def test_images_that_every_row_misses_are_counted_with_their_classes(tmp_path: Path) -> None:
    results = recorded(tmp_path)
    found = by_class(results)
    assert found is not None
    every = [results.record.outcomes(key) for key in results.finished]
    never = ~np.any(every, axis=0)
    assert found.missed == never.sum() > 0
    assert sum(found.missed_by_class.values()) == found.missed
    assert found.missed_by_class["cat"] == (never & (LABELS == 0)).sum()


def test_without_labels_only_the_agreement_is_shown(tmp_path: Path) -> None:
    found = section(recorded(tmp_path, classes=None))
    assert found is not None
    assert [table.key for table in found.tables] == ["agreement"]
    assert found.plots == ()


def test_without_outcomes_or_before_the_end_there_is_no_section(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert section(recorded(tmp_path / "waits", gone=1)) is None
    results = recorded(tmp_path / "lost")
    for path in (tmp_path / "lost" / FOLDER).glob("*.bits"):
        path.unlink()
    assert section(results) is None
    *named, more = caplog.messages
    assert all("are missing; put that file back" in said for said in named)
    assert len(named) == 3  # and not a line for each of thousands
    assert more == "outcomes of more trials cannot be read; `ablate doctor` names them all"


def test_a_row_that_lost_an_outcome_is_compared_on_its_other_seeds(tmp_path: Path) -> None:
    results = recorded(tmp_path)
    key = next(row for row in results.design.rows if row.label == BETTER).trial(results.design.seeds[0]).key
    for path in (tmp_path / FOLDER).glob(f"{key}-*.bits"):
        path.unlink()
    found = by_class(results)
    assert found is not None
    assert {row.label: row.seeds for row in found.rows} == {
        row.label: 4 if row.label == BETTER else 5 for row in results.design.rows
    }


def test_what_all_seeds_miss_is_counted_over_as_many_seeds_in_every_row(tmp_path: Path) -> None:
    """Of more seeds fewer images are missed by all."""
    results = recorded(tmp_path)
    [first, *_] = results.design.seeds
    rows = {row.label: row for row in results.design.rows}
    for path in (tmp_path / FOLDER).glob(f"{rows[BETTER].trial(first).key}-*.bits"):
        path.unlink()
    found = by_class(results)
    assert found is not None
    assert found.seeds_of_missed == 4
    for row in found.rows:
        own = [results.record.outcomes(rows[row.label].trial(seed).key) for seed in results.design.seeds]
        assert row.missed == np.sum(~np.any([right for right in own if right is not None][:4], axis=0))
    assert agreement_table(found).columns[-1].head == "test examples that its first 4 seeds all miss"


@pytest.mark.parametrize("over", [False, True])
def test_a_race_names_no_class_before_it_is_over(tmp_path: Path, over: bool) -> None:
    first = 5 if over else 4
    results = recorded(
        tmp_path, design="race", race={"first": first, "futility": 0}, seeds=5, gone=0 if over else 4
    )
    found = section(results)
    assert found is not None
    table = found.tables[0]
    named = {cell.text() for row in table.rows for cell in row.cells[1:3]} - {"–"}
    assert bool(named) is over
    assert ("The race adds seeds yet" in " ".join(table.notes)) is not over


def test_names_of_classes_act_on_nothing_in_a_table(tmp_path: Path) -> None:
    name = CLASSES[1]
    found = section(recorded(tmp_path, classes=(name, *CLASSES[2:], "x")))
    assert found is not None
    assert name in {cell.text() for row in found.tables[0].rows for cell in row.cells}
    assert "<script>" not in to_html(found.tables[0])
    assert "<script>" not in to_markdown(found.tables[0]).replace(r"\<script>", "")


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(
    ("panels", "classes"), [(1, 1), (1, MOST_CLASSES), (2, 10), (3, 10), (MOST_PANELS, 10)]
)
def test_the_plot_can_be_read(panels: int, classes: int, long: bool) -> None:
    name = "a class with a very long name {}, as in a taxonomy of animals" if long else "class {}"
    points = tuple((n - 3.0, n - 5.0, n + 1.0, n % 3 == 0) for n in range(classes))
    info = ByClassInfo(
        tuple(name.format(n) for n in range(classes)),
        0,
        tuple(ClassPanel((name if long else "SE r={}").format(n), points) for n in range(panels)),
    )
    figure = draw_by_class(info)
    assert covered(figure) == []
    assert outside(figure) == []
