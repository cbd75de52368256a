"""A sweep that slept for too long has lost its trials: it ends them, and touches nothing of who has them now."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small import DATA, one_thread, small_trial

from ablations.running.data import ensure_prepared
from ablations.running.machine.holder import Holder
from ablations.running.mlflow.background_writer import BackgroundWriter, fill_in
from ablations.running.mlflow.tracker import Tracker
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import EpochMetrics, TrialRecord
from ablations.running.training.attempt import run_attempt
from ablations.running.training.network_task import NetworkTask
from ablations.running.trials.progress import Progress, ProgressWriter, progress_file

CHAOS = Path(__file__).parents[3] / "chaos"


@pytest.fixture
def task(tmp_path: Path) -> NetworkTask:
    trial, study = small_trial(epochs=400), tmp_path / "results" / "small"
    ensure_prepared(DATA, tmp_path / "data")
    (study / "leases").mkdir(parents=True)
    lease = study / "leases" / f"{trial.key}.json"
    lease.write_text(Holder.this_process().to_text(), encoding="utf-8")
    return NetworkTask(
        key=trial.key,
        trial=trial.to_json(),
        data_dir=tmp_path / "data",
        running_dir=study / "running",
        checkpoint_dir=study / "checkpoints" / trial.key,
        stop_file=study / "running" / "stop",
        token=Holder.this_process().token,
    )


def _take_over(task: NetworkTask) -> None:
    other = replace(Holder.this_process(), token="another's")
    lease = task.running_dir.parent / "leases" / f"{task.key}.json"
    lease.write_text(other.to_text(), encoding="utf-8")


def test_a_trial_whose_lease_was_lost_while_it_waited_is_not_begun(task: NetworkTask) -> None:
    _take_over(task)
    with one_thread():
        outcome = run_attempt(task)
    assert (outcome.stopped, outcome.result, outcome.failure) == (True, None, None)
    assert not task.running_dir.exists()


def test_a_trial_whose_lease_is_lost_ends_and_leaves_the_checkpoints_alone(
    task: NetworkTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ProgressWriter.epoch

    def lose(writer: ProgressWriter, metrics: EpochMetrics) -> None:
        write(writer, metrics)
        _take_over(task)

    monkeypatch.setattr(ProgressWriter, "epoch", lose)
    with one_thread():
        outcome = run_attempt(task)
    assert (outcome.stopped, outcome.result, outcome.failure) == (True, None, None)
    assert not task.checkpoint_dir.exists()


def test_two_sweeps_never_write_one_progress_file(tmp_path: Path) -> None:
    one, other = (progress_file(tmp_path, "key", token) for token in ("a", "b"))
    with ProgressWriter(one, {}) as mine, ProgressWriter(other, {}) as theirs:
        theirs.epoch(EpochMetrics(1, 1.0, 50.0, 0.1, 2.0))
        mine.epoch(EpochMetrics(2, 1.0, 50.0, 0.1, 2.0))
    assert [epoch.epoch for epoch in Progress(one).read()] == [2]
    assert [epoch.epoch for epoch in Progress(other).read()] == [1]


@pytest.mark.parametrize("changed", [{"host": "elsewhere"}, {"namespace": "pid:[1]"}, {"start": 1}])
def test_nothing_is_killed_that_merely_has_the_number_of_a_trial(
    tmp_path: Path, changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where host names are equal: the other's process 7 is not ours."""
    killed: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: killed.append(pid) if number else None)
    progress = Progress(
        tmp_path / "key.jsonl", process=replace(Holder.this_process(), **{"pid": 1, **changed})
    )
    progress.kill_process()
    assert killed == []


@pytest.fixture
def line() -> TrialRecord:
    from doctoring import finished

    history = tuple(EpochMetrics(n, 1.0 / n, 50.0, 0.1, 2.0) for n in (1, 2, 3))
    return finished(0, history=history)


def _epochs(tracker: Tracker) -> dict[str, list[int]]:
    found = tracker.finished_runs()
    assert found is not None
    return {run.run_id: tracker._runs.epochs(run.run_id) for run in found}


@pytest.mark.parametrize("told", [(1, 3), (1, 2, 3, 3)])
def test_a_sync_writes_a_run_anew_that_has_other_epochs_than_the_record(
    tmp_path: Path, line: TrialRecord, told: tuple[int, ...]
) -> None:
    tracker, paths = Tracker("small", None, tmp_path), StudyPaths("small", tmp_path, tmp_path)
    record, trial = TrialFile(paths.record), small_trial()
    [line] = record.append(line)
    run = tracker.start_trial("row", {}, trial, {})
    for number in told:
        tracker.log_epochs(run, [line.history[number - 1]])
    tracker.finish_trial(run, line)
    row: Any = type("Row", (), {"label": "row", "values": ()})()
    by_key = {trial.key: (row, trial)}
    command: Callable[[Any], str] = lambda row: ""  # noqa: E731
    assert fill_in(tracker, by_key, paths, record, command, compare=True) == 1
    assert list(_epochs(tracker).values()) == [[1, 2, 3]]
    assert fill_in(tracker, by_key, paths, record, command, compare=True) == 0


@pytest.mark.parametrize(("holds", "epochs"), [(True, [[1, 2, 3]]), (False, [])])
def test_a_finished_run_has_all_epochs_and_a_lost_one_is_not_finished(
    tmp_path: Path, line: TrialRecord, holds: bool, epochs: list[list[int]]
) -> None:
    tracker = Tracker("small", None, tmp_path)
    writer = BackgroundWriter(tracker, lambda row: "", lambda key: holds)
    row: Any = type("Row", (), {"label": "row", "values": ()})()
    writer.start(row, small_trial(), {})
    writer.epochs(line.key, line.history[:1])
    writer.epochs(line.key, line.history[2:])
    writer.finish(line)
    assert writer.close(lambda: False)
    assert list(_epochs(tracker).values()) == epochs


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(CHAOS))
    import two_machines

    if not two_machines.permitted():
        pytest.skip("this user may not make namespaces")
    yield two_machines
    sys.modules.pop("two_machines", None)


@pytest.mark.slow
def test_two_containers_with_one_host_name_train_no_trial_twice(machines: Any, tmp_path: Path) -> None:
    assert machines.two_namespaces(tmp_path, tmp_path / "data", stale_seconds=90.0, epochs=10) == []


@pytest.mark.slow
def test_a_sweep_that_slept_gives_up_what_it_has_lost(machines: Any, tmp_path: Path) -> None:
    found = machines.stopped(tmp_path, tmp_path / "data", stale_seconds=5.0, stop_seconds=12.0, epochs=60)
    assert found == []
