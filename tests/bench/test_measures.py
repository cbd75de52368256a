"""The bench's sweeps and races: what is counted, worked by hand, and the real programs at their smallest."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.running.record.trial_record import EpochMetrics, TrialRecord, TrialResult
from bench.contenders import entries
from bench.measures import AccuracyCourse, compare_times, measure_accuracy, measure_unequal
from bench.sweeps import sweeping
from senet_core.errors import UserError
from tests.ablations.running.small import small_trial


def line(*epochs: float) -> TrialRecord:
    """A trial of 80 images in batches of 32, of these seconds an epoch."""
    trial = small_trial(epochs=float(len(epochs)))
    result = TrialResult(10.0, None, 0.5, 0.5, 10.0, 1, 1, {}, sum(epochs), 0.4, 1.0, "")
    history = tuple(EpochMetrics(n, 1, 1, 1, seconds) for n, seconds in enumerate(epochs, 1))
    return TrialRecord(
        trial.key, "s", "finished", trial.to_json(), result, history, None, {}, "d", "", "2026", "2026"
    )


def swept() -> sweeping.Swept:
    """Two workers; the first trains two trials with a second between, the other waits from 5 to 10."""
    stays = tuple(sweeping.Stay(*values) for values in ((1, 2, 5, 1), (1, 6, 9, 1), (2, 1, 5, 1)))
    return sweeping.Swept((line(1.0, 2.0), line(1.0, 2.0), line(2.0, 2.0)), stays, 0.0, 10.0, 0.0, 2)


def test_throughput_in_training_leaves_out_warm_up_and_counts_all_workers() -> None:
    assert sweeping.training_rate(swept(), 64, warmup=1) == 2 * 3 * 64 / 6


def test_throughput_by_the_wall_counts_every_image_from_the_first_start_to_the_last_end() -> None:
    assert sweeping.images_seen(line(1.0, 2.0)) == 2 * 2 * 32  # the incomplete batch is left out
    assert sweeping.wall_rate(swept()) == 3 * 128 / 8


def test_what_a_trial_takes_beside_its_training() -> None:
    """From 2 to 9 and from 1 to 5 make 11 s, of which 10 were training."""
    assert sweeping.beside_training(swept()) == pytest.approx(1 / 3)


def test_shares_add_up_and_say_when_workers_were_idle() -> None:
    found = sweeping.shares(swept())
    assert found == pytest.approx(
        {"wall_seconds": 10, "busy": 0.5, "idle_before": 0.15, "idle_between": 0.05, "idle_after": 0.3}
    )
    alone = replace(swept(), stays=swept().stays[:2])  # the other worker never had a trial
    assert sweeping.shares(alone)["idle_before"] == pytest.approx((2 + 10) / 20)


def test_times_are_compared_seed_by_seed() -> None:
    runs = {
        "plain-pytorch": [{"seconds": 10.0}, {"seconds": 30.0}, {"seconds": 20.0}],
        "ours": [{"seconds": 5.0}, {"seconds": 10.0}, {"seconds": 8.0}],
    }
    assert compare_times(runs) == {"median_seconds": {"plain-pytorch": 20.0, "ours": 8.0}, "ratio": 2.5}
    runs["ours"][1]["seconds"] = None  # type: ignore[assignment]
    assert compare_times(runs) == {"median_seconds": {"plain-pytorch": 20.0, "ours": None}, "ratio": None}


RACE = """
import json, sys
seconds = 40.0 if "--plain" in sys.argv else 20.0
[target] = [word.partition("=")[2] for word in sys.argv if word.startswith("--target=")]
reached = float(target) <= 78
print(json.dumps({"seed": 0, "seconds": seconds if reached else None, "epochs": [[9.0, 50.0], [seconds, 78.0]]}))
"""


def stand_in(clone: Path, monkeypatch: pytest.MonkeyPatch, program: str, text: str) -> None:
    """Put a program in the place of one of bench/."""
    path = clone / "bench" / program
    path.parent.mkdir(parents=True)
    for folder in (path.parent, path.parent.parent):
        (folder / "__init__.py").touch()
    path.write_text(text)
    monkeypatch.setattr(entries, "ROOT", clone)


def test_a_race_is_run_in_turns_and_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "contenders/time_to_accuracy.py", RACE)
    said: list[str] = []
    content, path = measure_accuracy(
        AccuracyCourse(78, 5, 2, None, None), tmp_path / "results", say=said.append
    )
    assert path == tmp_path / "results" / "bench" / "time_to_accuracy.json"
    assert json.loads(path.read_text()) == content
    assert (content["ratio"], content["data"], content["cores_used"]) == (2.0, "random", 1)
    assert said[:2] == [
        "seed 0: plain PyTorch, fp32: 78.0 % after 40 s, 2 epochs",
        "seed 0: ours: 78.0 % after 20 s, 2 epochs",
    ]
    measure_accuracy(AccuracyCourse(90, 5, 1, None, None), tmp_path / "results", say=said.append)
    assert said[-1] == "seed 0: ours: 78.0 % at its end, after 20 s; 90 % was not reached"


def test_a_program_that_fails_is_said_in_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "sweeps/unequal.py", "raise SystemExit('2 of 24 trials failed')")
    with pytest.raises(UserError, match="contender 'unequal' failed: 2 of 24 trials failed"):
        measure_unequal(2, None, None, tmp_path)


def run(program: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"bench.{program}", *options]
    done = subprocess.run(command, cwd=entries.ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_ours_is_a_whole_sweep() -> None:
    found = run("contenders.ours", "--steps", "2", "--warmup", "1", "--batch", "32", "--cores", "1")
    assert found["images_per_second"] > found["wall_images_per_second"] > 0
    assert found["seconds_beside_training"] > 0


@pytest.mark.slow
def test_unequal_trials_share_two_workers() -> None:
    found = run("sweeps.unequal", "--images", "64", "--batch", "32", "--seeds", "1")
    assert found["trials"] == 6
    assert 0 < found["busy"] < 1
    parts = ("busy", "idle_before", "idle_between", "idle_after")
    assert sum(found[part] for part in parts) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("contender", [(), ("--plain",)], ids=["ours", "plain"])
def test_a_race_ends_at_its_target_or_with_its_recipe(contender: tuple[str, ...]) -> None:
    options = ("--images", "64", "--epochs", "2", *contender)
    found = run("contenders.time_to_accuracy", *options, "--target", "100")
    assert (found["seconds"], len(found["epochs"])) == (None, 2)
    assert 0 < found["epochs"][0][0] < found["epochs"][1][0]
    found = run("contenders.time_to_accuracy", *options, "--target", "0")
    assert found["seconds"] == found["epochs"][0][0]
    assert len(found["epochs"]) == 1
