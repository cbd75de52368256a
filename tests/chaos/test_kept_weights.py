"""A sweep that keeps weights, ended by SIGKILL in the midst of writing them, loses and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from comparing import check_outcomes, check_weights, read_record
from inherited.midway import TAKEN, VARIABLE

from ablations.running.doctor.weights import check_weights as look_at_weights
from ablations.running.record.study_paths import StudyPaths

INHERITED = Path(__file__).parent / "inherited"
ROOT = Path(__file__).parents[2]
STUDY = """
title: Keeps
question: Are its weights there?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 80, test_images: 40}
recipe: {base: cifar-quick, epochs: 1, batch_size: 32, lr: 0.05, pad: 1, precision: fp32}
axes: {}
seeds: 1
keep_weights: true
"""
KILLS = (
    ("weights", 1, 0.5),  # half of a file is written
    ("weights", 2, 0.9),  # all of it is on the disk, under the name of a draft
    ("weights", 3, 0.2),  # before it has its own name
    ("weights", 3, 0.9),  # it has, and no line names it
    ("record line", 1, 0.5),  # half of the line is written
    ("weights", 2, 0.9),  # the first trial is there, and the second one not
)
"""What is written, at which change of such files the process ends, and how far it comes."""


def sweep(folder: Path, order: Path | None = None) -> int:
    """Sweep the study in a folder, under an order to die, if one is given; return the status."""
    environment = {**os.environ, "PYTHONPATH": f"{INHERITED}{os.pathsep}{ROOT}"}
    environment |= {} if order is None else {VARIABLE: str(order)}
    program = "from ablations.cli import main; main()"
    words = ("run", "keeps.yaml", "--no-tracking", "--workers=1", f"--data-dir={folder.parent / 'data'}")
    return subprocess.run([sys.executable, "-c", program, *words], cwd=folder, env=environment).returncode


def whole(folder: Path) -> dict[str, bytes]:
    """The files of weights of the study in a folder that have their name, by it."""
    return {path.name: path.read_bytes() for path in (folder / "results/keeps/weights").glob("*.safetensors")}


@pytest.mark.slow
def test_a_sweep_killed_in_the_midst_of_its_weights_ends_as_one_left_alone(tmp_path: Path) -> None:
    killed, quiet = tmp_path / "killed", tmp_path / "quiet"
    for folder in (killed, quiet):
        folder.mkdir()
        (folder / "keeps.yaml").write_text(STUDY)
    study = killed / "results" / "keeps"
    finished = []
    for number, (kind, event, share) in enumerate(KILLS):
        order = killed / f"order-{number}"
        order.write_text(json.dumps({"kind": kind, "event": event, "share": share}))
        assert sweep(killed, order) == -signal.SIGKILL
        assert list(killed.glob(f"{order.name}{TAKEN}*")), "it did not die by the order"
        assert check_outcomes(study) + check_weights(study) == []
        finished.append(len(read_record(study / "trials.jsonl")))
    assert finished[:5] == [0] * 5
    assert sweep(killed) == sweep(quiet) == 0

    assert check_weights(study, at_the_end=True) == []
    lines = read_record(study / "trials.jsonl")
    assert len(lines) == len({line["key"] for line in lines}) == 2
    assert whole(killed) == whole(quiet)
    for draft in (study / "weights").glob(".*.partial"):
        os.utime(draft, (0, 0))  # an hour later, what the killed left is nobody's
    found = list(look_at_weights(StudyPaths("keeps", killed / "results", killed / "reports"), fix=True))
    assert all(finding.level == "ok" or finding.mended for finding in found)
    assert {path.name for path in (study / "weights").iterdir()} == whole(quiet).keys()
