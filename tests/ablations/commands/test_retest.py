"""`ablate test` and its call in Python, on networks that were trained for a moment."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import ablations as ab
from ablations.analysis.stats.outcomes.crossed import crossed_difference
from ablations.analysis.tested.summary import tried_of
from ablations.errors import StudyError
from ablations.planning.networks.views import Views
from ablations.running.record.tested.lines import (
    MeasuredLine,
    add_test,
    key_of_test,
    read_right,
    read_tests,
)
from ablations.running.record.tested.probabilities import read_probabilities

STUDY: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny",
    "question": "What do more crops do?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 200},
    },
    "recipe": {
        "base": "cifar-quick",
        "epochs": 2,
        "batch_size": 32,
        "lr": 0.05,
        "pad": 1,
        "precision": "fp32",
    },
    "axes": {"squeeze": ["avg"]},
    "seeds": 3,
    "keep_weights": True,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the record of a study of two rows and three seeds, its networks and its data."""
    folder = tmp_path_factory.mktemp("trained")
    root = str(Path(__file__).parents[3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
        patch.chdir(folder)
        ab.run(STUDY, options=ab.RunOptions(data_dir=folder / "data"), workers=1)
    (folder / "results/tiny/plan.json").unlink()  # it says where the study was, and the tests have a copy
    return folder


@pytest.fixture
def folder(ablate: Callable[..., Any], trained: Path, tmp_path: Path) -> Path:
    """A copy of it, the working folder."""
    for name in ("results/tiny", "data"):
        shutil.copytree(trained / name, tmp_path / name)
    (tmp_path / "tiny.yaml").write_text(
        yaml.safe_dump({name: value for name, value in STUDY.items() if name != "name"})
    )
    return tmp_path


def test_ten_crops_and_ensembles_are_recorded_and_reported(folder: Path, ablate: Callable[..., Any]) -> None:
    ablate("test", "tiny.yaml")
    shown = ablate(
        "test", "tiny.yaml", "--crops", "10", "--ensemble", "seeds", "--ensemble", "rows", "--json"
    )
    records = {(r["model"], r["networks"], r["crops"]): r for r in json.loads(shown.out)}
    assert records.keys() == {
        *((label, 1, crops) for label in ("SE r=8", "plain") for crops in (1, 10)),
        ("SE r=8", 3, 10),
        ("plain", 3, 10),
        ("all rows together", 2, 10),
    }
    lines = read_tests(folder / "results/tiny")
    assert len(lines) == 6 + 6 + 2 + 3
    single = {(line.networks[0][0], line.views["crops"]): line for line in lines if len(line.networks) == 1}
    keys = sorted({key for key, _ in single})
    right = {
        crops: np.stack([read_right(folder / "results/tiny", single[key, crops]) for key in keys])
        for crops in (1, 10)
    }
    gains = [records[label, 1, 10]["gain"] for label in ("SE r=8", "plain")]
    assert np.mean(gains) == pytest.approx(crossed_difference(right[10], right[1]).mean)
    assert records["SE r=8", 1, 1]["gain"] is None
    assert records["plain", 1, 10]["verdict"] in ("better", "worse", "equivalent", "undetermined")
    ablate("report", "tiny.yaml")
    page = (folder / "reports/tiny/report.md").read_text()
    assert "Tests after the training" in page
    assert "plain, 3 networks together" in page
    assert "by bootstrap over new test images alone" in page
    assert (folder / "reports/tiny/tables/tests.csv").exists()


def test_an_ensemble_is_the_mean_of_its_networks(folder: Path) -> None:
    ab.retest("tiny.yaml", ensembles=["seeds"], rows=["plain"])
    results = folder / "results/tiny"
    *single, together = read_tests(results)
    assert len(together.networks) == 3
    given = [read_probabilities(results, line.key) for line in single]
    labels = ab.load_results("tiny.yaml").record.labels(single[0].networks[0][0])
    assert labels is not None
    guessed = np.mean([one for one in given if one is not None], axis=0).argmax(axis=1)
    assert read_right(results, together).tolist() == (guessed == labels.labels).tolist()


def test_what_was_ended_goes_on_and_nothing_is_tested_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def ended(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ab.retest("tiny.yaml", Views(5), ensembles=["seeds"], say=ended)
    assert len(read_tests(folder / "results/tiny")) == 2
    again: list[str] = []
    ab.retest("tiny.yaml", Views(5), ensembles=["seeds"], say=again.append)
    assert len(again) == 4, "the two that were recorded are not tested again"
    assert len(read_tests(folder / "results/tiny")) == 6 + 2
    monkeypatch.setattr(
        "ablations.running.testing.measuring.answers", lambda *given: pytest.fail("tested twice")
    )
    ab.retest("tiny.yaml", Views(5), ensembles=["seeds"])


def test_an_ensemble_finds_missing_probabilities_again(folder: Path) -> None:
    """They are no part of the record: outcomes stay as they are, and the weights give them again."""
    ab.retest("tiny.yaml", Views(5))
    before = read_tests(folder / "results/tiny")
    ab.retest("tiny.yaml", Views(5), ensembles=["rows"])
    after = read_tests(folder / "results/tiny")
    assert after[: len(before)] == before
    assert len(after) == len(before) + 3


def test_a_network_that_was_trained_again_is_another(folder: Path) -> None:
    ab.retest("tiny.yaml")
    file = folder / "results/tiny/tests/tests.jsonl"
    [tried] = ab.retest("tiny.yaml")
    assert [row.seeds for row in tried.rows] == [3, 3]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["networks"][0][1] = "0" * 64
    networks = [tuple(network) for network in lines[0]["networks"]]
    lines[0]["key"] = key_of_test(networks, Views(), lines[0]["images"])
    file.write_text("".join(json.dumps(line) + "\n" for line in lines[:1]))
    assert tried_of(ab.load_results("tiny.yaml")) == ()


def test_images_that_come_in_copies_show_no_equivalence(folder: Path) -> None:
    """Seeds that agree within 0.02 points would show it, and know nothing of other images."""
    results = ab.load_results("tiny.yaml")
    wrong = {"SE r=8": (2500, 2501, 2500), "plain": (2501, 2501, 2499)}
    images = {"name": "cifar10-c/fog", "digest": "c" * 64, "images": 5000, "copies": 5}
    for row in results.design.rows:
        for seed, count in zip(results.design.seeds, wrong[row.label], strict=True):
            line = results.finished[row.key(seed)]
            assert line.result is not None
            networks = ((line.key, line.result.proof),)
            right = np.arange(5000) >= count
            error = 100 * count / 5000
            key = key_of_test(networks, Views(), images)
            measured = MeasuredLine(key, networks, {"crops": 1}, images, error, None, 1.0, "", 0.1, {})
            add_test(folder / "results/tiny", measured, right)
    [tried] = tried_of(ab.load_results("tiny.yaml"))
    found = {row.label: row for row in tried.rows}["plain"]
    assert tried.copies == 5
    assert found.comparison is not None
    assert found.comparison.reading.verdict == "undetermined"
    assert found.comparison.rests_on == "seeds"
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--crops", "3"], "--crops must be one of 1, 5, 10, 144, got 3"),
        (["--crops", "5", "--flip"], "--flip goes with one crop, not with 5: that is --crops 10"),
        (["--ensemble", "seed"], "unknown ensemble 'seed'; did you mean 'seeds'?"),
        (["--images", "cifair10"], "--images and --from go together"),
        (
            ["--images", "cifair10", "--from", "."],
            "'cifair10' tests networks that were trained on 'cifar10', not 'digits'",
        ),
        (["--only", "plane"], "did you mean 'plain'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_is_one_line(ablate: Callable[..., Any], options: list[str], message: str) -> None:
    said = ablate("test", "tiny.yaml", *options)
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert message in said.err


def test_a_study_without_weights_says_how_they_are_kept(folder: Path, ablate: Callable[..., Any]) -> None:
    shutil.rmtree(folder / "results/tiny/weights")
    said = ablate("test", "tiny.yaml")
    assert said.status == 2
    assert "has the weights of no finished trial" in said.err
    assert "keep_weights: true" in said.err


ASKED = [{"crops": 1}, {"crops": 10, "ensembles": ["seeds"]}]


def test_a_study_may_ask_for_its_tests(folder: Path, ablate: Callable[..., Any]) -> None:
    """They are those of the command, done once, when all is trained; the trials and the plan are the same."""
    asked = {**STUDY, "tests": ASKED}
    (folder / "tiny.yaml").write_text(
        yaml.safe_dump({name: value for name, value in asked.items() if name != "name"})
    )
    said = ablate("run", "tiny.yaml", "--no-tracking", "--workers", "1")
    assert said.status == 0, said.err
    lines = read_tests(folder / "results/tiny")
    assert len(lines) == 2 * 6 + 2  # each network on one and on ten crops, and the ensemble of each row
    assert "Tests after the training" in (folder / "reports/tiny/report.md").read_text()
    before = (folder / "results/tiny/tests/tests.jsonl").read_bytes()
    ablate("run", "tiny.yaml", "--no-tracking", "--workers", "1")
    ablate("test", "tiny.yaml", "--crops", "10", "--ensemble", "seeds")
    assert (folder / "results/tiny/tests/tests.jsonl").read_bytes() == before


def test_what_cannot_be_tested_does_not_keep_the_report_back(
    folder: Path, ablate: Callable[..., Any]
) -> None:
    shutil.rmtree(folder / "results/tiny/weights")
    asked = {**STUDY, "tests": ASKED}
    (folder / "tiny.yaml").write_text(
        yaml.safe_dump({name: value for name, value in asked.items() if name != "name"})
    )
    said = ablate("run", "tiny.yaml", "--no-tracking", "--workers", "1")
    assert said.status == 0, said.err
    assert "not tested: study 'tiny' has the weights of no finished trial" in said.out + said.err
    assert (folder / "reports/tiny/report.md").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keep_weights": False}, "need their weights: give keep_weights: true"),
        ({"tests": [{"crops": 3}]}, "`crops` must be one of 1, 5, 10, 144, got 3"),
        ({"tests": [{"crops": 10, "flip": True}]}, "`flip` goes with one crop"),
        ({"tests": [{"crop": 10}]}, "unknown field 'tests.0.crop'; did you mean 'tests.0.crops'?"),
        ({"tests": [{"ensembles": ["seed"]}]}, "seeds"),
        (
            {"baseline": {**STUDY["baseline"], "data": {"name": "digits", "validation_images": 100}}},
            "these are out of reach",
        ),
    ],
    ids=str,
)
def test_wrong_tests_are_refused_before_anything_is_trained(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=re.escape(words)):
        ab.load_study({**STUDY, "tests": ASKED, **changes})
