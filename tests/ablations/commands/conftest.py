"""A command line to call from tests, and a folder to stand in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ablations.cli import main

sys.path.insert(0, str(Path(__file__).parent))  # lets the tests of this folder import `fuzzing`

STUDY = """
title: Small
question: Does it work?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 80, test_images: 40}
recipe: {base: cifar-quick, epochs: 1, warmup: 0.5, batch_size: 32, lr: 0.05, pad: 1, precision: fp32}
axes:
  squeeze: [avg, max]
seeds: 2
"""


@dataclass
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def ablate(
    tmp_path: Path,
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    own_registries: None,
) -> Callable[..., Said]:
    """Call the command line in an empty folder that has a study file, small.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABLATE_CALIBRATE", "0")  # what a plan would measure of this machine takes its time
    (tmp_path / "small.yaml").write_text(STUDY, encoding="utf-8")
    # workers import the package by name; the tests may run from a checkout that is not installed
    root = str(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(sys, "argv", ["ablate"])

    def call(*words: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return call
