"""The engine keeps its promises for every kind of experiment: kills, doubled commits, torn files, failures, limits."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest
from kinds import Kind, make

RUN = ("run", "own.yaml", "--no-tracking", "--workers", "2", "--no-report")


def test_a_study_runs_once_and_is_reported(kind: Kind) -> None:
    kind.write()
    status, printed = kind.run("run", "own.yaml", "--no-tracking", "--workers", "2")
    assert status == 0, printed
    first = kind.measured()
    assert len(first) == 9
    status, printed = kind.run(*RUN)
    assert (status, "nothing to train" in printed) == (0, True), printed
    assert kind.measured() == first
    assert len(kind.lines()) == 9
    report = (kind.folder / "reports/own/report.md").read_text(encoding="utf-8")
    assert "9 of 9 trials finished" in report


def test_trials_that_are_killed_at_random_end_as_if_they_had_not_been(kind: Kind) -> None:
    kind.write(name="quiet")
    assert kind.run("run", "quiet.yaml", *RUN[2:])[0] == 0
    kind.write()
    moments = random.Random(7)
    for _ in range(5):
        process = kind.start(*RUN, step_seconds=0.3)
        time.sleep(moments.uniform(1.5, 5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    status, printed = kind.run(*RUN)
    assert status == 0, printed
    assert kind.measured() == kind.measured("quiet")
    finished = Counter(line["key"] for line in kind.lines() if line["status"] == "finished")
    assert set(finished.values()) == {1}


def test_ctrl_c_saves_what_runs_and_the_same_command_continues(kind: Kind) -> None:
    kind.write()
    process = kind.start(*RUN, step_seconds=0.4)
    time.sleep(6)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, printed
    status, printed = kind.run(*RUN)
    assert status == 0, printed
    assert len(kind.measured()) == 9


def test_two_sweeps_at_once_run_each_trial_once(kind: Kind) -> None:
    kind.write()
    both = [kind.start(*RUN, step_seconds=0.05) for _ in range(2)]
    for process in both:
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
    finished = Counter(line["key"] for line in kind.lines() if line["status"] == "finished")
    assert set(finished.values()) == {1}
    assert len(finished) == 9


def test_a_torn_line_is_set_aside_and_its_trial_runs_again(kind: Kind) -> None:
    kind.write()
    assert kind.run(*RUN)[0] == 0
    before = kind.measured()
    path = kind.folder / "results/own/trials.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    status, printed = kind.run(*RUN)
    assert status == 0, printed
    assert kind.measured() == before


def test_a_full_disk_ends_the_sweep_in_one_line_and_loses_nothing(kind: Kind) -> None:
    kind.write()
    assert kind.run(*RUN, "--only", "baseline" if kind.name != "classification" else "SE r=8")[0] == 0
    before = kind.lines()
    room = (kind.folder / "results/own/trials.jsonl").stat().st_size + 200
    status, printed = kind.run(*RUN, most_bytes=room)  # a write that ends early, as on a full disk
    assert status == 1, printed
    assert "Traceback" not in printed
    assert "nothing recorded is lost" in printed
    assert kind.lines()[: len(before)] == before
    status, printed = kind.run(*RUN)
    assert status == 0, printed
    assert len(kind.measured()) == 9


def test_a_number_that_is_none_is_a_failure_and_the_others_go_on(kind: Kind) -> None:
    kind.write(kind.diverging)
    status, printed = kind.run(*RUN)
    assert status == 1, printed
    failed = {line["failure"]["kind"] for line in kind.lines() if line["status"] == "failed"}
    assert failed == {"diverged"}
    assert len(kind.measured()) == 3


def test_a_trial_that_fails_says_why_and_the_others_go_on(other: Kind) -> None:
    other.write({"way": ["usual", "fails"]})
    status, printed = other.run(*RUN)
    assert status == 1, printed
    failed = [line["failure"] for line in other.lines() if line["status"] == "failed"]
    assert {failure["kind"] for failure in failed} == {"error"}
    assert all("no such way" in failure["message"] for failure in failed)
    assert len(other.measured()) == 3
    status, printed = other.run("report", "own.yaml")
    assert status == 0, printed
    report = (other.folder / "reports/own/report.md").read_text(encoding="utf-8")
    assert "no such way" in report


def test_a_trial_that_hangs_is_ended_at_its_limit(other: Kind) -> None:
    other.write({"way": ["usual", "hangs"]}, seeds=1)
    status, printed = other.run(*RUN, "--trial-timeout", "3")
    assert status == 1, printed
    [failure] = [line["failure"] for line in other.lines() if line["status"] == "failed"]
    assert failure["kind"] == "timeout"
    assert len(other.measured()) == 1


def test_rows_that_are_one_are_refused(kind: Kind) -> None:
    axes = {"squeeze": ["avg", "avg"]} if kind.name == "classification" else {"rate": [2.0, 2.0]}
    kind.write(axes)
    status, printed = kind.run(*RUN)
    assert status == 2
    assert "twice" in printed
    assert not (kind.folder / "results/own").exists()


def test_changed_code_is_another_trial(tmp_path: object, other: Kind) -> None:
    other.write(seeds=1)
    assert other.run(*RUN)[0] == 0
    name = "program.py" if other.name == "command" else "module.py"
    code = other.folder / name
    code.write_text(code.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    status, printed = other.run(*RUN)
    assert status == 0, printed
    assert len(other.measured()) == 6


@pytest.mark.parametrize("name", ["command", "function"])
def test_reproduce_runs_a_recorded_trial_again(name: str, tmp_path: object) -> None:
    kind = make(name, tmp_path / name)  # type: ignore[operator]
    kind.write(seeds=1)
    assert kind.run(*RUN)[0] == 0
    key = kind.lines()[0]["key"]
    status, printed = kind.run("reproduce", "own.yaml", key)
    assert status == 0, printed
    assert "bit-identical" in printed
