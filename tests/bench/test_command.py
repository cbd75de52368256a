"""`make bench`: what it prints of each measure, and which options it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.command import command
from bench.contenders import entries

OURS = """
import json
told = {"wall_images_per_second": 80.0, "seconds_beside_training": 1.5}
print(json.dumps({"images_per_second": 100.0, "cpu_ms_per_image": 10.0, **told}))
"""
UNEQUAL = """
import json
shares = {"busy": 0.93, "idle_before": 0.04, "idle_between": 0.01, "idle_after": 0.02}
print(json.dumps({"workers": 2, "trials": 24, "shortest_trial_seconds": 8.0, "longest_trial_seconds": 41.0,
                  "wall_seconds": 300.0, **shares}))
"""


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("", "contenders", "sweeps"):  # the programs run as those of a clone do
        folder = tmp_path / "clone" / "bench" / room
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    (tmp_path / "clone/bench/contenders/ours.py").write_text(OURS)
    (tmp_path / "clone/bench/sweeps/unequal.py").write_text(UNEQUAL)
    monkeypatch.setattr(entries, "ROOT", tmp_path / "clone")


def test_throughput_says_what_the_whole_sweep_made(ablate: Callable[..., Any]) -> None:
    said = ablate("ours", "--rounds", "1", "--results-dir", "results", command=command, program="bench")
    assert said.status == 0, said.err
    assert (
        "ours: 80 images/s of the last round's sweep with tests and changeovers; 1.5 s a trial beside"
        in said.out
    )
    assert len(list(Path("results/bench").glob("*-cores.json"))) == 1


def test_unequal_says_when_workers_were_idle(ablate: Callable[..., Any]) -> None:
    said = ablate("--measure", "unequal", "--results-dir", "results", command=command, program="bench")
    assert said.status == 0, said.err
    shares = "93.0 % busy, idle 4.0 % before the first trial, 1.0 % between trials, 2.0 % after the last"
    assert f"24 trials of 8 to 41 s, 2 workers, 300 s: {shares}" in said.out
    assert Path("results/bench/unequal.json").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--measure", "unequal", "--rounds", "3"),
            "--rounds does not go with --measure unequal, but with throughput",
        ),
        (
            ("--measure", "unequal", "ours"),
            "CONTENDERS does not go with --measure unequal, but with throughput",
        ),
        (
            ("--images", "500"),
            "--images does not go with --measure throughput, but with unequal or time-to-accuracy",
        ),
        (
            ("--measure", "time-to-accuracy", "--cores", "2"),
            "--cores does not go with --measure time-to-accuracy, but",
        ),
    ],
    ids=str,
)
def test_options_that_would_do_nothing_are_refused(
    ablate: Callable[..., Any], words: tuple[str, ...], message: str
) -> None:
    said = ablate(*words, command=command, program="bench")
    assert said.status == 2
    assert message in said.err
    assert not Path("results/bench").exists()
