"""Trials of detection and segmentation: measured, continued, made again, reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import DETECTION, ROOT, SEGMENTATION, DrawnHome, changed

from ablations.analysis.report.sections import extras_of
from ablations.experiments.dense.kind import DensePlaces
from ablations.experiments.dense.loop import rate_factor
from ablations.experiments.dense.sections import TITLE, differences_of
from ablations.planning.metric import RESAMPLED
from ablations.running.mlflow.values import final_metrics
from ablations.running.sweep.reproduce import reproduce
from ablations.running.trials.experiment_context import RunningContext
from ablations.running.trials.stopping import Stopped
from senet_core import build_model

STUDIES = {"detection": DETECTION, "segmentation": SEGMENTATION}


def test_every_trial_has_its_metrics_and_their_resamples(ran: DrawnHome) -> None:
    record = ran.paths(ran.name).open_record()
    assert len(record.finished) == 4
    wanted = {"detection": {"ap", "ap50", "ap75"}, "segmentation": {"miou", "pixels_right"}}[ran.name]
    for line in record.finished.values():
        assert line.result is not None
        values = line.result.values
        assert wanted <= values.keys()
        assert all(0 <= values[name] <= 100 for name in wanted)
        assert sum(name.startswith(RESAMPLED) for name in values) == 100
        assert not any(name.startswith(RESAMPLED) for name in final_metrics(line))
        assert [step.number for step in line.history] == [1, 2]
        assert len(line.data_digest) == 64
    assert ran.run(ran.name).trials.lines == record.trials.lines  # nothing is trained again


def test_the_report_says_what_other_images_would(ran: DrawnHome) -> None:
    results = ran.results(ran.name)
    [section] = [extra for extra in extras_of(results, ()) if extra.title == TITLE]
    [table] = section.tables
    assert [row.cells[0].text() for row in table.rows] == ["variant=plain"]
    assert "100 bootstrap samples of the 4 test images" in table.notes[0]
    [family] = results.families
    found = differences_of(family.outcomes[1], family.outcomes[0], family.metric.column)
    assert found is not None
    assert (found[0].shape, found[1].shape) == ((2,), (2, 100))


@pytest.mark.parametrize("name", ["detection", "segmentation"])
def test_a_stopped_trial_ends_as_one_that_was_not(name: str, home: DrawnHome, tmp_path: Path) -> None:
    home.write(name, changed(STUDIES[name], experiment__recipe__epochs=3))
    row = home.design(name).rows[1]
    experiment = home.design(name).study.experiment.placed(DensePlaces(home.data, ""))  # type: ignore[attr-defined]

    def context(place: str, asked: Callable[[], bool]) -> RunningContext:
        return RunningContext(5, tmp_path / place, tmp_path / "log", asked, lambda step: None)

    whole = experiment.run(row.trial(5), context("whole", lambda: False))
    asked = iter([False, False, False, True])  # after three of six steps, in the midst of an epoch
    with pytest.raises(Stopped):
        experiment.run(row.trial(5), context("parts", lambda: next(asked)))
    assert experiment.run(row.trial(5), context("parts", lambda: False)) == whole


def test_data_that_changed_are_refused(home: DrawnHome) -> None:
    found = home.design("detection")
    experiment = found.study.experiment.placed(DensePlaces(home.data, "0" * 64))  # type: ignore[attr-defined]
    context = RunningContext(0, home.folder / "place", home.folder / "log", lambda: False, lambda step: None)
    with pytest.raises(Exception, match="were changed after the study had begun"):
        experiment.run(found.rows[0].trial(0), context)


def test_weights_are_kept_where_the_study_says_so_and_start_other_trunks(home: DrawnHome) -> None:
    classifier = build_model("resnet18", None, num_classes=3, seed=9)
    torch.save(classifier.state_dict(), home.folder / "classifier.pth")
    study = changed(
        DETECTION,
        experiment__keep=True,
        experiment__weights={"resnet18 plain": "classifier.pth"},
        experiment__recipe__freeze_norms=True,
        baseline__variant="plain",
        baseline__detector="mask-rcnn",
        axes={"recipe.lr": [0.01, 0.02]},
        seeds=1,
    )
    study["baseline"]["recipe.lr"] = 0.01
    home.write("detection", study)
    line = next(iter(home.run("detection").finished.values()))
    assert line.result is not None
    assert "mask_ap" in line.result.values
    kept = home.folder / "results/detection/artifacts" / line.key
    from safetensors.torch import load_file

    state = load_file(kept / "weights.safetensors")
    name = "layer2.0.bn1.weight"  # frozen, so it is the classifier's own
    assert torch.equal(state[f"backbone.body.network.{name}"], classifier.state_dict()[name])
    assert isinstance(json.loads((kept / "detections.json").read_text(encoding="utf-8")), list)


@pytest.mark.slow
def test_a_trial_ends_in_the_same_bits_again(ran: DrawnHome) -> None:
    line = next(iter(ran.paths(ran.name).open_record().finished.values()))
    found = reproduce(line, data_dir=ran.data, results_dir=ran.folder / "results", folder=str(ran.folder))
    assert found.identical, found


def test_rates_rise_and_fall_as_the_recipe_says() -> None:
    step = {"warm_up_steps": 4, "schedule": "step"}
    assert [rate_factor(step, n, 120) for n in (0, 4, 79, 80, 110)] == pytest.approx([0.2, 1, 1, 0.1, 0.01])
    cosine = {"warm_up_steps": 0, "schedule": "cosine"}
    assert [rate_factor(cosine, n, 100) for n in (0, 50)] == pytest.approx([1, 0.5])
    assert np.isfinite(rate_factor(cosine, 99, 100))


@pytest.mark.slow
def test_killed_sweeps_end_as_if_they_had_not_been(home: DrawnHome) -> None:
    """SIGKILL leaves the state of the last epoch; what is trained twice ends in the same bits."""
    words = (
        sys.executable,
        "-m",
        "ablations",
        "run",
        "detection.yaml",
        "--data-dir",
        "data",
        "--workers",
        "1",
    )
    quiet = (*words, "--no-tracking", "--no-report", "--results-dir")

    def start(results: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*quiet, results],
            cwd=home.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def measured(results: str) -> dict[str, object]:
        text = (home.folder / results / "detection/trials.jsonl").read_text(encoding="utf-8")
        found = {}
        for line in map(json.loads, text.splitlines()):
            found[line["key"]] = line["result"]["metrics"]
        return found

    home.write("detection", changed(DETECTION, experiment__recipe__epochs=8, seeds=1))
    for seconds in (9, 12, 15):
        process = start("killed")
        time.sleep(seconds)
        process.kill()
        process.communicate()
    for results in ("killed", "whole"):
        process = start(results)
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed.decode()
    assert measured("killed") == measured("whole")
