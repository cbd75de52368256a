"""The sweep trains what is missing, once, and writes down what came of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from processes import until
from small import DATA, Watcher, of_digits, one_thread, small_study

from ablations.analysis.results.results import Results
from ablations.analysis.results.status import study_status
from ablations.errors import RecordError
from ablations.planning.design import Design
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import ensure_prepared
from ablations.running.executors.process_pool import ExecutorLost, WorkerDied
from ablations.running.machine.holder import Holder
from ablations.running.machine.kernels import NO_KERNELS, Kernels
from ablations.running.machine.signals import STOPPING
from ablations.running.mlflow.tracker import Tracker
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import TrialFile
from ablations.running.sweep import dispatch, running_trials
from ablations.running.sweep.reproduce import compare
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings, SweepOutcome
from ablations.running.training.checkpoint import read_checkpoint
from ablations.running.training.network_task import NetworkTask
from ablations.running.trials.progress import progress_file
from ablations.running.trials.task import TaskOutcome
from ablations.running.trials.worker import run_task
from senet_core.kernels import winograd
from senet_core.kernels.fused import why_not


@dataclass(frozen=True)
class Asking:
    """A source of trials that asks a function of the record."""

    design: Design
    record: StudyRecord
    answer: Callable[[StudyRecord, Collection[str]], list[NetworkTrial]]

    @property
    def by_key(self) -> Any:
        return self.design.by_key

    def next_trials(self, ended: Collection[str]) -> list[NetworkTrial]:
        return self.answer(self.record, ended)


class Bench:
    """Runs sweeps of one results folder in this process, and counts the trials that were really trained."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.results = folder / "results"
        self.data_dir = folder / "data"
        self.digest = ensure_prepared(DATA, self.data_dir).digest
        self.watcher = Watcher()
        self.trained: list[str] = []
        self.before: Callable[[NetworkTask], None] = lambda task: None
        monkeypatch.setattr(dispatch, "run_task", self._run)

    def _run(self, task: NetworkTask) -> Any:
        self.before(task)
        self.trained.append(task.key)
        with one_thread():
            return run_task(task)

    def paths(self, design: Design) -> StudyPaths:
        return StudyPaths(design.study.name, self.results, self.results.parent / "reports")

    def sweep(
        self,
        design: Design,
        *,
        executor: Callable[[], Executor] = lambda: ThreadPoolExecutor(1),
        tracker: Callable[[], Tracker | None] = lambda: None,
        next_trials: Callable[[StudyRecord, Collection[str]], list[NetworkTrial]] | None = None,
        **options: Any,
    ) -> SweepOutcome:
        settings = Settings(**{"data_dir": self.data_dir, "inputs": of_digits(self.digest), **options})
        record = self.paths(design).open_record()
        return sweep(
            design,
            self.paths(design),
            settings,
            make_executor=executor,
            display=self.watcher,
            open_tracker=tracker,
            record=record,
            source=None if next_trials is None else Asking(design, record, next_trials),
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_every_trial_is_trained_once_and_never_again(bench: Bench) -> None:
    design = small_study()
    outcome = bench.sweep(design)
    assert (outcome.trained, outcome.failed, outcome.left, outcome.stopped_by) == (6, 0, 0, None)
    record = bench.paths(design).open_record().trials
    assert sorted(line.key for line in record.lines) == sorted(trial.key for trial in design.trials)
    again = bench.sweep(design)
    assert again.trained == 0
    assert len(bench.trained) == 6
    assert bench.watcher.begun == [(6, 0, 0), (6, 6, 0)]


def test_a_line_says_all_that_a_reader_needs(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    [se, plain] = bench.paths(design).open_record().trials.lines
    assert se.trial == design.baseline.trial(0).to_json()
    assert se.result is not None
    assert se.result.bottleneck_widths == {"2": 2, "3": 4, "4": 8}
    assert plain.result is not None
    assert se.result.parameters == plain.result.parameters + 2 * (16 * 2 + 32 * 4 + 64 * 8)
    assert [epoch.epoch for epoch in se.history] == [1, 2]
    assert se.data_digest == bench.digest
    assert {"commit", "host", "processor", "device", "precision", "threads", "torch"} <= se.environment.keys()
    assert not bench.paths(design).running.exists()


def test_rounds_follow_each_other_until_there_are_none(bench: Bench) -> None:
    design = small_study(design="race", race={"first": 3}, seeds=4, confirm=1, include_plain=False)
    base, other = design.rows
    asked: list[set[str]] = []

    def rounds(record: StudyRecord, failed: Collection[str]) -> list[NetworkTrial]:
        asked.append(set(failed))
        wanted = [base.trial(0), other.trial(0)] if not record.finished else [base.trial(1)]
        return [trial for trial in wanted if trial.key not in record.finished and trial.key not in failed]

    assert bench.sweep(design, next_trials=rounds).trained == 3
    assert bench.trained == [base.trial(0).key, other.trial(0).key, base.trial(1).key]
    assert bench.watcher.extended == [(3, 1)]
    assert len(asked) == 3
    assert bench.sweep(design, next_trials=rounds).trained == 0


def test_the_status_counts_the_fresh_seeds_that_were_tried(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1, confirm=2)
    base, plain = design.rows
    wanted = [base.trial(0), plain.trial(0), plain.trial(design.confirm_seeds[0])]
    bench.sweep(
        design, next_trials=lambda record, failed: [t for t in wanted if t.key not in record.finished]
    )
    rows = {
        row.label: (row.finished, row.left)
        for row in study_status(Results(design, bench.paths(design).open_record())).rows
    }
    assert rows == {base.label: (1, 0), "plain": (2, 0)}


def test_a_trial_that_failed_is_told_to_the_next_round(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1, recipe={**_recipe(), "lr": 1e20})
    told: list[Collection[str]] = []

    def rounds(record: StudyRecord, failed: Collection[str]) -> list[NetworkTrial]:
        told.append(set(failed))
        return [trial for trial in design.trials if trial.key not in failed]

    assert bench.sweep(design, next_trials=rounds).failed == 2
    assert told == [set(), {trial.key for trial in design.trials}]


def test_more_seeds_train_only_what_is_new(bench: Bench) -> None:
    bench.sweep(small_study(seeds=1))
    bench.sweep(small_study(seeds=2))
    assert len(bench.trained) == len(set(bench.trained)) == 6


def test_a_trial_of_another_study_is_taken_over(bench: Bench) -> None:
    bench.sweep(small_study("first"))
    second = small_study("second", axes={"squeeze": ["max"], "excitation": ["tanh"]})
    bench.sweep(second)
    assert bench.watcher.begun[-1] == (8, 6, 6)
    assert len(bench.trained) == 8
    lines = bench.paths(second).open_record().trials.lines
    assert sorted(str(line.shared_from) for line in lines) == ["None", "None", *["first"] * 6]
    assert all(line.study == "second" for line in lines)


def test_fresh_starts_beside_the_old_record(bench: Bench) -> None:
    design = small_study(seeds=1)
    bench.sweep(design)
    bench.sweep(small_study("other", seeds=1))
    old = bench.paths(design).record.read_bytes()
    bench.sweep(design, fresh=True)
    assert len(bench.trained) == 6  # three, none (shared), and three again
    [aside] = bench.paths(design).results.glob("trials.before-*.jsonl")
    assert aside.read_bytes() == old
    assert len(bench.paths(design).open_record().trials.lines) == 3


def test_a_failing_trial_is_recorded_and_retried_and_stops_no_other(bench: Bench) -> None:
    design = small_study(seeds=1)
    bad = design.rows[1].trial(0).key

    def break_one(task: NetworkTask) -> None:
        if task.key == bad:
            raise WorkerDied("the worker process ended before the trial did (killed, or out of memory)")

    bench.before = break_one
    outcome = bench.sweep(design)
    assert (outcome.trained, outcome.failed) == (2, 1)
    record = bench.paths(design).open_record().trials
    failure = record.failed[bad].failure
    assert failure is not None
    assert failure.kind == "killed"
    assert ("plain", "failed") in bench.watcher.ended
    status = study_status(Results(design, bench.paths(design).open_record()))
    assert [(row.label, row.finished, row.failed) for row in status.rows][1] == ("plain", 0, 1)
    assert "plain, seed 0: killed" in status.failures[0]
    bench.before = lambda task: None
    assert bench.sweep(design).trained == 1
    assert bench.paths(design).open_record().trials.failed == {}


def test_divergence_has_its_kind_and_epoch(bench: Bench) -> None:
    design = small_study(axes={}, include_plain=True, seeds=1, recipe={**_recipe(), "lr": 1e20})
    outcome = bench.sweep(design)
    assert outcome.failed == 2
    failures = [line.failure for line in bench.paths(design).open_record().trials.lines]
    assert [failure.kind for failure in failures if failure] == ["diverged", "diverged"]
    assert all(failure and failure.epoch for failure in failures)


def test_stopping_loses_nothing_and_the_same_call_continues(bench: Bench) -> None:
    design, handler = small_study(), signal.getsignal(signal.SIGINT)

    def interrupt(task: NetworkTask) -> None:
        if len(bench.trained) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1.0)

    bench.before = interrupt
    outcome = bench.sweep(design)
    assert outcome.stopped_by == signal.SIGINT
    done = len(bench.paths(design).open_record().trials.lines)
    assert outcome.left == 6 - done
    assert 0 < done < 6
    assert signal.getsignal(signal.SIGINT) is handler
    assert not any(line.startswith("workers") for line in bench.watcher.said)  # said of whole sweeps alone
    bench.before = lambda task: None
    bench.sweep(design)
    lines = bench.paths(design).open_record().trials.lines
    assert sorted(line.key for line in lines) == sorted(trial.key for trial in design.trials)


def test_two_sweeps_train_no_trial_twice(bench: Bench) -> None:
    """Two drivers on one folder: each trial is trained by one of them, and both end with all of them."""
    design = small_study(seeds=3)
    outcomes: list[SweepOutcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(bench.sweep(design))) for _ in range(2)]
    other = Leases(bench.paths(design).leases)
    other._me = replace(
        other._me, pid=os.getppid(), start=0, token="another's"
    )  # a process that lives, and is not this one
    held = design.trials[0].key
    assert other.take(held)
    for thread in threads:
        thread.start()
    until(lambda: len(bench.trained) == 8)
    assert held not in bench.trained
    other.release(held)
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(bench.trained) == sorted(trial.key for trial in design.trials)
    assert sum(outcome.trained for outcome in outcomes) == 9
    lines = bench.paths(design).open_record().trials.lines
    assert sorted(line.key for line in lines) == sorted(trial.key for trial in design.trials)
    assert Leases(bench.paths(design).leases).held() == []


def test_two_studies_at_once_train_what_they_share_once(bench: Bench) -> None:
    """The one waits for what the other trains, takes its result over, and trains what it alone has."""
    first = small_study("first", axes={"squeeze": ["max"]})
    second = small_study("second", axes={"excitation": ["tanh"]})
    outcomes: dict[str, SweepOutcome] = {}

    def run(design: Design) -> None:
        outcomes[design.study.name] = bench.sweep(design)

    threads = [threading.Thread(target=run, args=[design]) for design in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    keys = {trial.key for design in (first, second) for trial in design.trials}
    assert len(keys) == 8
    assert sorted(bench.trained) == sorted(keys)
    for design in (first, second):
        record = bench.paths(design).open_record().trials
        assert sorted(line.key for line in record.lines) == sorted(trial.key for trial in design.trials)
        assert outcomes[design.study.name].left == 0
    assert sum(outcome.trained for outcome in outcomes.values()) == 8


def test_a_trial_of_another_study_whose_sweep_is_dead_is_not_waited_for(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    dead = Leases(bench.results / "other" / "leases")
    dead._me = replace(dead._me, start=dead._me.start + 1)
    assert dead.take(design.trials[0].key)
    assert bench.sweep(design).trained == 2


@pytest.mark.parametrize("study", ["small", "other"])
def test_what_is_waited_for_is_said_once(bench: Bench, study: str) -> None:
    design = small_study(axes={}, seeds=1)
    other = Leases(bench.results / study / "leases")
    other._me = replace(other._me, pid=os.getppid(), start=0, token="another's")
    assert other.take(design.trials[0].key)
    waiting = "waiting for 1 trial that other sweeps are training"

    def give_back() -> None:
        while waiting not in bench.watcher.said:
            time.sleep(0.05)
        time.sleep(1.0)
        other.release_all()

    threading.Thread(target=give_back, daemon=True).start()
    assert bench.sweep(design).trained == 2
    assert bench.watcher.said.count(waiting) == 1
    assert sum(line.startswith("waiting") for line in bench.watcher.said) == 1


def test_a_fresh_start_waits_for_no_other_study(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    other = Leases(bench.results / "other" / "leases")
    other._me = replace(other._me, pid=os.getppid(), start=0, token="another's")
    assert other.take(design.trials[0].key)
    assert bench.sweep(design, fresh=True).trained == 2


def test_git_is_offered_the_record_and_nothing_else_of_a_study(bench: Bench, results: Path) -> None:
    """Neither while a sweep runs, nor of what it leaves."""
    design, left = small_study(axes={}, seeds=1), set()

    def look(task: NetworkTask) -> None:
        files = [path for path in bench.results.rglob("*") if path.is_file()]
        left.update(path.relative_to(bench.results.parent) for path in files)

    bench.before = look
    bench.sweep(design, tracker=lambda: Tracker("small", None, results))
    bench.before(
        NetworkTask(
            key="",
            trial={},
            data_dir=results,
            running_dir=results,
            checkpoint_dir=results,
            stop_file=results,
        )
    )
    repository = bench.results.parent / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "-q", repository], check=True)
    (repository / ".gitignore").write_bytes((Path(__file__).parents[4] / ".gitignore").read_bytes())
    for path in left:
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).touch()
    said = subprocess.run(
        ["git", "-C", repository, "status", "--short", "--untracked-files=all", "results"],
        check=True,
        capture_output=True,
        text=True,
    )
    *outcomes, record = said.stdout.splitlines()
    assert record == "?? results/small/trials.jsonl"
    assert len(outcomes) == len(design.trials)  # each is named by its line
    assert all(line.startswith("?? results/small/outcomes/") for line in outcomes)
    assert len(left) > 5


def test_a_dead_sweeps_trial_is_taken_over(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    dead = Leases(bench.paths(design).leases)
    dead._me = replace(dead._me, start=dead._me.start + 1)  # this process number, at another time
    assert dead.take(design.trials[0].key)
    assert bench.sweep(design).trained == 2


def test_fresh_is_refused_while_another_sweep_trains(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    other = Leases(bench.paths(design).leases)
    other._me = replace(other._me, pid=os.getppid(), start=0, token="another's")
    other.take(design.trials[0].key)
    with pytest.raises(
        RecordError, match=r"is being trained by process \d+ on .*; stop it before `fresh=True`"
    ):
        bench.sweep(design, fresh=True)


def test_a_value_that_only_fails_is_set_aside(bench: Bench) -> None:
    design = small_study(seeds=6)
    bad = {row.trial(seed).key for row in design.rows for seed in range(6) if row.label == "SE max r=8"}

    def break_one(task: NetworkTask) -> None:
        if task.key in bad:
            raise WorkerDied("the worker process ended before the trial did (killed, or out of memory)")

    bench.before = break_one
    outcome = bench.sweep(design)
    assert (outcome.trained, outcome.failed, outcome.left) == (12, 3, 3)
    assert (
        "squeeze max is set aside: 3 trials failed alike (killed) and none finished" in bench.watcher.said[0]
    )
    bench.before = lambda task: None
    assert bench.sweep(design).trained == 6


def test_a_trial_over_its_time_is_recorded_and_continued_later(bench: Bench) -> None:
    design = small_study(
        axes={"squeeze": ["avg"]}, include_plain=False, seeds=1, recipe={**_recipe(), "epochs": 400}
    )
    outcome = bench.sweep(design, timeout_seconds=1.0)
    assert outcome.failed == 1
    [line] = bench.paths(design).open_record().trials.lines
    assert line.failure is not None
    assert line.failure.kind == "timeout"
    assert "longer than 1 s" in line.failure.message
    assert list((bench.paths(design).checkpoints / line.key).glob("*.pt"))


def test_stopped_trials_continue_where_they_were(bench: Bench) -> None:
    """The same weights and epochs as without the stop, and no epoch trained twice."""
    design = small_study(
        axes={"squeeze": ["avg"]}, include_plain=False, seeds=1, recipe={**_recipe(), "epochs": 150}
    )
    whole = small_study(
        "whole", axes={"squeeze": ["avg"]}, include_plain=False, seeds=1, recipe={**_recipe(), "epochs": 150}
    )
    token = Holder.this_process().token
    said = progress_file(bench.paths(design).running, design.trials[0].key, token)

    def stop_after_some_epochs() -> None:
        while not said.exists() or said.read_text(encoding="utf-8").count('"epoch"') < 5:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_after_some_epochs, daemon=True).start()
    outcome = bench.sweep(design)
    assert outcome.stopped_by == signal.SIGTERM
    assert bench.paths(design).open_record().trials.lines == []
    newest = max((bench.paths(design).checkpoints / design.trials[0].key).glob("*.pt"))
    saved = read_checkpoint(newest)["state"]["history"]
    assert saved
    bench.sweep(design)
    bench.sweep(whole, fresh=True)
    [continued], [uninterrupted] = (bench.paths(d).open_record().trials.lines for d in (design, whole))
    assert continued.result is not None
    assert uninterrupted.result is not None
    assert continued.result.weights_sha256 == uninterrupted.result.weights_sha256
    assert [epoch.train_loss for epoch in continued.history] == [e.train_loss for e in uninterrupted.history]
    assert [epoch.seconds for epoch in continued.history[: len(saved)]] == [e["seconds"] for e in saved]
    assert not bench.paths(design).checkpoints.joinpath(continued.key).exists()


class SignalledExecutor(ThreadPoolExecutor):
    """Its processes get the signal that stops the sweep, too, and die of it before the sweep hears it."""

    def __init__(self, sends: int | None) -> None:
        super().__init__(1)
        self._sends = sends

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(BrokenProcessPool("a process was ended"))
        if self._sends is not None:
            threading.Timer(0.05, os.kill, (os.getpid(), self._sends)).start()
            self._sends = None
        return future


@pytest.mark.parametrize("number", STOPPING)
def test_a_trial_whose_process_died_of_the_signal_that_stops_the_sweep_has_not_failed(
    bench: Bench, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_trials, "POLL_SECONDS", 60.0)
    design = small_study()
    outcome = bench.sweep(design, executor=lambda: SignalledExecutor(number))
    assert (outcome.stopped_by, outcome.failed, outcome.left) == (number, 0, 6)
    assert bench.paths(design).open_record().trials.lines == []
    assert not bench.paths(design).leases.exists()


def test_a_trial_whose_process_died_otherwise_has_failed(bench: Bench) -> None:
    outcome = bench.sweep(small_study(), executor=lambda: SignalledExecutor(None))
    assert (outcome.stopped_by, outcome.failed) == (None, 6)


def test_an_executor_that_takes_nothing_more_is_said_to_be_lost(bench: Bench) -> None:
    class Broken(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise BrokenProcessPool("a process was ended")

    with pytest.raises(ExecutorLost, match=r"takes no more trials: a process was ended; the same command"):
        bench.sweep(small_study(), executor=lambda: Broken(1))
    assert not bench.paths(small_study()).leases.exists()


def test_a_trial_whose_worker_got_a_signal_is_continued_in_the_same_sweep(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    design, handed_back = small_study(), set[str]()

    def once(task: NetworkTask) -> TaskOutcome:
        if task.key in handed_back:
            return run_task(task)
        handed_back.add(task.key)
        return replace(run_task(task), result=None, stopped=True, signalled=True)

    monkeypatch.setattr(dispatch, "run_task", once)
    outcome = bench.sweep(design)
    assert (outcome.trained, outcome.failed, outcome.left, outcome.stopped_by) == (6, 0, 0, None)
    assert len(handed_back) == len(bench.paths(design).open_record().trials.lines) == 6
    assert sum("a signal ended its worker; it is continued" in said for said in bench.watcher.said) == 6


def test_other_data_under_the_same_name_is_refused(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    before = bench.paths(design).record.read_bytes()
    with pytest.raises(RecordError, match=r"recorded with other data .*`fresh=True`"):
        bench.sweep(design, inputs=of_digits("another"))
    assert bench.paths(design).record.read_bytes() == before


def test_a_torn_line_is_set_aside_and_its_trial_run_again(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    path = bench.paths(design).record
    path.write_bytes(path.read_bytes()[:-20])
    bench.sweep(design)
    assert len(bench.trained) == 3
    assert len(TrialFile.load(path).finished) == 2
    assert path.with_name("trials.jsonl.torn").exists()


def test_mlflow_has_one_run_a_trial(bench: Bench, results: Path) -> None:
    design = small_study(seeds=1)
    tracker = Tracker("small", None, results)
    bench.sweep(design, tracker=lambda: tracker, command=lambda row: f"again {row.label}")
    runs = tracker._runs.on_level("trial")
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    lines = bench.paths(design).open_record().trials.lines
    assert {line.key for line in lines} == {run.data.tags["senet.key"] for run in runs}
    assert {run.data.params["squeeze"] for run in runs} == {"avg", "max", "-"}
    by_key = {line.key: line for line in lines}
    for run in runs:
        result = by_key[run.data.tags["senet.key"]].result
        assert result is not None
        assert run.data.metrics["top1_error"] == result.top1_error


def _finished_runs(tracker: Tracker) -> dict[str, str]:
    runs = tracker.finished_runs()
    assert runs is not None
    assert len({run.key for run in runs}) == len(runs)  # one each
    return {run.key: run.mark for run in runs}


def test_mlflow_has_one_run_a_trial_of_the_present_record_after_a_fresh_start(
    bench: Bench, results: Path
) -> None:
    design, tracker = small_study(seeds=1), Tracker("small", None, results)
    bench.sweep(design, tracker=lambda: tracker)
    old = _finished_runs(tracker)
    bench.sweep(small_study(seeds=1, axes={}), tracker=lambda: tracker, fresh=True)
    new = _finished_runs(tracker)
    assert new == {key: line.mark for key, line in bench.paths(design).open_record().trials.finished.items()}
    assert len(new) == 2
    assert not set(new.values()) & set(old.values())
    binned = tracker._runs._client.search_runs([tracker._runs.experiment_id], run_view_type=2)
    assert {run.data.tags["senet.line"] for run in binned} == set(old.values())  # they can be restored


def test_runs_of_a_record_that_somebody_removed_go_where_nobody_else_writes(
    bench: Bench, results: Path
) -> None:
    design, tracker = small_study(seeds=1, axes={}), Tracker("small", None, results)
    bench.sweep(design, tracker=lambda: tracker)
    bench.paths(design).record.unlink()
    bench.sweep(design, tracker=lambda: tracker)
    record = bench.paths(design).open_record().trials
    assert _finished_runs(tracker) == {key: line.mark for key, line in record.finished.items()}


def test_in_a_shared_store_finished_runs_of_other_records_stay(bench: Bench, results: Path) -> None:
    design = small_study(seeds=1, axes={})
    shared = f"sqlite:///{results}/mlflow.db"
    tracker = Tracker("small", shared, results)
    bench.sweep(design, tracker=lambda: tracker)
    old = {run.mark for run in tracker.finished_runs() or ()}
    elsewhere = bench.paths(design).results.rename(results / "elsewhere")  # as if on another machine
    bench.sweep(design, tracker=lambda: tracker, fresh=True)
    runs = tracker.finished_runs()
    assert runs is not None
    assert len(runs) == 4
    assert old < {run.mark for run in runs}
    (bench.paths(design).results / "trials.before-20260101T000000Z.jsonl").write_bytes(
        (elsewhere / "trials.jsonl").read_bytes()
    )
    bench.sweep(design, tracker=lambda: tracker)  # now it is known whose they were
    record = bench.paths(design).open_record().trials
    assert _finished_runs(tracker) == {key: line.mark for key, line in record.finished.items()}


def test_a_fresh_start_while_the_server_is_away_is_made_up_for(bench: Bench, results: Path) -> None:
    design, tracker = small_study(seeds=1, axes={}), Tracker("small", None, results)
    bench.sweep(design, tracker=lambda: tracker)
    bench.sweep(design, tracker=lambda: Tracker("small", "http://127.0.0.1:9", results), fresh=True)
    bench.sweep(design, tracker=lambda: tracker)
    record = bench.paths(design).open_record().trials
    assert _finished_runs(tracker) == {key: line.mark for key, line in record.finished.items()}


def test_a_plug_in_that_changed_since_the_plan_is_refused(bench: Bench, tmp_path: Path) -> None:
    design = small_study(axes={}, seeds=1, include_plain=True)
    changed = replace(design.baseline, plugins=(("squeeze:avg", "0123"),))
    outcome = bench.sweep(replace(design, rows=(changed,), baseline=changed))
    assert outcome.failed == 1
    failure = bench.paths(design).open_record().trials.lines[0].failure
    assert failure is not None
    assert "was changed after the study had been read" in failure.message


def test_an_executor_of_somebody_else_serves(bench: Bench) -> None:
    """Nothing beyond the standard interface is asked of it: no kill, and results may come late."""

    class Inline(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(fn(*args, **kwargs))
            return future

    assert bench.sweep(small_study(axes={}, seeds=1), executor=Inline).trained == 2


def test_the_record_is_json_lines_with_a_schema(bench: Bench) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    lines = bench.paths(design).record.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["schema"] for line in lines] == [1, 1]


def _recipe() -> dict[str, Any]:
    from small import RECIPE

    return RECIPE.model_dump()


def test_the_record_says_which_kernels_trained_and_reproduction_names_the_difference(
    bench: Bench,
) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    [fused, _] = bench.paths(design).open_record().trials.lines
    bench.sweep(design, kernels=NO_KERNELS, fresh=True)
    [plain, _] = bench.paths(design).open_record().trials.lines
    assert fused.environment["fused"] is not bool(why_not())
    assert fused.environment["winograd"] is not bool(winograd.why_not())
    assert (plain.environment["fused"], plain.environment["winograd"]) == (False, False)
    assert fused.result is not None
    assert plain.result is not None
    again = TaskOutcome(plain.result, plain.history, None, plain.environment, plain.data_digest, "", "", "")
    if fused.environment["fused"]:
        assert {("fused", True, False), ("winograd", True, False)} <= set(compare(fused, again).causes)
        assert fused.result.weights_sha256 != plain.result.weights_sha256
    assert fused.history[-1].train_loss == pytest.approx(plain.history[-1].train_loss, rel=1e-2)
    # a record from before there was a choice does not name what it trained without
    older = {name: value for name, value in plain.environment.items() if name != "winograd"}
    assert Kernels.from_record(older) == NO_KERNELS
    assert compare(replace(plain, environment=older), again).causes == ()


def test_the_end_of_a_sweep_says_how_busy_the_workers_were(bench: Bench) -> None:
    bench.sweep(small_study())
    [said] = [line for line in bench.watcher.said if line.startswith("workers")]
    assert re.fullmatch(
        r"workers     1, \d+\.\d % of \d+ s busy with trials; \d+\.\d s of start-up and waiting in all", said
    )
