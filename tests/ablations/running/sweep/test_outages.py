"""What a sweep does when what it writes to is away, slow, full or closed to it."""

from __future__ import annotations

import resource
import shlex
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from processes import PATIENCE_SECONDS, ROOT, Command, Server, until
from small import small_study

from ablations.running.mlflow import tracker as tracking
from ablations.running.mlflow.tracker import Tracker
from ablations.running.record.trial_file import TrialFile
from tests.ablations.running.sweep.test_sweep import Bench

ONE_SWEEP = """
import sys
from pathlib import Path
from small import small_trial
from ablations.running.record.trial_record import EpochMetrics
print("ready", flush=True)
sys.stdin.readline()
tracker = Tracker("small", None, Path(sys.argv[1]))
run = tracker.start_trial("SE", {}, small_trial(seed=int(sys.argv[2])), {})
tracker.log_epochs(run, [EpochMetrics(1, 1.0, 50.0, 0.1, 1.0)])
tracker.kill_trial(run, "that is all")
print(tracker.first_failure)
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def server(tmp_path: Path, mlflow_database: Path) -> Iterator[Server]:
    """A running MLflow server of our own."""
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(mlflow_database, folder / "mlflow.db")
    server = Server(folder, folder / "mlflow.db")
    server.start()
    yield server
    if server.process is not None:
        server.signal("KILL")
        server.process.wait()


def _faults(bench: Bench, database: Path) -> list[str]:
    from comparing import check_mlflow

    return check_mlflow(database, bench.results / "small" / "trials.jsonl")


@pytest.mark.slow
def test_eight_processes_may_open_a_new_mlflow_store_at_once(tmp_path: Path) -> None:
    path = f"{ROOT}:{Path(__file__).parents[1]}"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_SWEEP, str(tmp_path / "results"), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )
        for number in range(8)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in started]
    assert said == ["None\n"] * 8
    with closing(sqlite3.connect(tmp_path / "results" / "mlflow.db")) as database:
        runs = database.execute("select status, experiment_id from runs").fetchall()
        steps = database.execute("select count(*) from metrics where key = 'train_loss'").fetchone()
    assert len(runs) == 8
    assert len(set(runs)) == 1
    assert steps == (8,)


@pytest.mark.slow
def test_a_server_that_is_stopped_for_a_while_has_everything_afterwards(bench: Bench, server: Server) -> None:
    design = small_study()

    def disturb(task: Any) -> None:
        if len(bench.trained) == 1:
            server.stop()
        if len(bench.trained) == 5:
            server.start()

    bench.before = disturb
    tracker = Tracker("small", server.uri, bench.results)
    outcome = bench.sweep(design, tracker=lambda: tracker)
    assert (outcome.trained, outcome.failed) == (6, 0)
    assert tracker.first_failure is not None
    assert tracker.missed == 0  # what it lacked was written from the record
    assert _faults(bench, server.database) == []


@pytest.mark.slow
def test_a_server_that_is_stopped_for_a_minute_has_everything_afterwards(
    bench: Bench, server: Server
) -> None:
    """Long enough for MLflow to give up, rest and try again several times."""
    design = small_study()
    path = bench.results / "small" / "trials.jsonl"
    stopped: list[float] = []
    recorded_while_away: list[int] = []

    def disturb(task: Any) -> None:
        if len(bench.trained) == 1:
            server.stop()
            stopped.append(time.monotonic())
        if len(bench.trained) == 4:
            recorded_while_away.append(path.read_bytes().count(b"\n"))
            time.sleep(max(0.0, stopped[0] + 60 - time.monotonic()))
            server.start()

    bench.before = disturb
    tracker = Tracker("small", server.uri, bench.results)
    assert bench.sweep(design, tracker=lambda: tracker).trained == 6
    assert recorded_while_away[0] >= 3
    assert tracker.first_failure is not None
    assert tracker.missed == 0
    assert _faults(bench, server.database) == []


@pytest.mark.slow
def test_a_server_that_starts_after_the_sweep_has_everything_afterwards(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "REST_SECONDS", 0.5)
    server.stop()
    while_it_ran: list[int] = []

    def disturb(task: Any) -> None:
        if len(bench.trained) == 3:
            server.start()
            time.sleep(2.0)
        if len(bench.trained) == 5:
            until(lambda: _runs(server.database) > 0)
            while_it_ran.append(_runs(server.database))

    bench.before = disturb
    assert (
        bench.sweep(small_study(), tracker=lambda: Tracker("small", server.uri, bench.results)).trained == 6
    )
    assert while_it_ran[0] > 0  # it was not left for the end
    assert _faults(bench, server.database) == []


@pytest.mark.slow
def test_a_server_that_dies_under_the_command_costs_neither_table_nor_status(
    results: Path, server: Server
) -> None:
    """And the command that it names brings the server up to date."""
    from comparing import check_mlflow

    command = Command(results.parent, 40)
    process = command.start("--tracking-uri", server.uri)
    until(lambda: any(command.study.glob("running/*.jsonl")))
    server.stop()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, out + err
    assert "baseline" in out  # the table
    assert (command.folder / "reports" / "small" / "report.md").exists()
    [warning] = err.splitlines()
    assert warning.endswith("training and its record go on")
    [line] = [line for line in out.splitlines() if line.startswith("MLflow")]
    assert line.startswith("MLflow      lacks summaries, report or runs (")
    mend = shlex.split(line.partition("when that is mended: ")[2])
    assert mend == ["ablate", "sync", "small.yaml", "--tracking-uri", server.uri]
    server.start()
    ended, out, err = command.run(words=mend[1:])
    assert (ended, out, err) == (0, f"2 runs written to {server.uri}\n", "")
    assert check_mlflow(server.database, command.record) == []


@pytest.mark.slow
def test_a_server_that_does_not_answer_holds_nothing_up(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All trials are trained and recorded while the server stands still, and it has them when it goes on."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1000")  # who waited for an answer would wait too long
    design = small_study()
    path = bench.results / "small" / "trials.jsonl"
    while_it_stood_still: list[int] = []

    def wake() -> None:
        try:
            until(lambda: path.exists() and path.read_bytes().count(b"\n") == 6)
            while_it_stood_still.append(6)
        finally:
            server.signal("CONT")

    def disturb(task: Any) -> None:
        if len(bench.trained) == 1:
            server.signal("STOP")
            threading.Thread(target=wake, daemon=True).start()

    bench.before = disturb
    tracker = Tracker("small", server.uri, bench.results)
    assert bench.sweep(design, tracker=lambda: tracker).trained == 6
    assert while_it_stood_still == [6]
    bench.before = lambda task: None
    assert bench.sweep(design, tracker=lambda: Tracker("small", server.uri, bench.results)).trained == 0
    assert _faults(bench, server.database) == []


def test_an_mlflow_store_that_may_only_be_read_costs_no_trial(
    bench: Bench, results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = results / "mlflow.db"
    tracker = Tracker("small", None, results)
    with closing(sqlite3.connect(database)) as connection:  # permissions would not stop root
        connection.execute(
            "create trigger closed before insert on runs begin"
            " select raise(abort, 'attempt to write a readonly database'); end"
        )
        connection.commit()
    design = small_study(seeds=1)
    assert bench.sweep(design, tracker=lambda: tracker).trained == 3
    [warning] = [line for line in caplog.messages if "readonly database" in line]
    assert warning.endswith("training and its record go on")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("drop trigger closed")
        connection.commit()
    assert len(_faults(bench, database)) == 3
    assert bench.sweep(design, tracker=lambda: Tracker("small", None, results)).trained == 0
    assert _faults(bench, database) == []


def test_runs_that_a_killed_sweep_left_open_are_closed_when_nothing_is_left_to_train(
    bench: Bench, results: Path
) -> None:
    design = small_study(axes={}, seeds=1)
    bench.sweep(design)
    trial = design.trials[0]
    killed = Tracker("small", None, results)
    run = killed.start_trial("SE", {}, trial, {})
    killed._runs._client.set_tag(run, "senet.sweep", f"{_node()}:999999999:1")
    assert bench.sweep(design, tracker=lambda: Tracker("small", None, results)).trained == 0
    assert _faults(bench, results / "mlflow.db") == []


def _runs(database: Path) -> int:
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from runs").fetchone()[0])


def _node() -> str:
    import platform

    return platform.node()


def _at_most(size: int) -> dict[str, Any]:
    """Let no file of a process and its children grow beyond a size, in bytes: the disk is full."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "finished"),
    [
        (3_000, 1),  # the record has room for one trial of the two
        (60_000, 2),  # the record has room, checkpoints and MLflow have not, nor has the report
    ],
)
def test_a_full_disk_ends_in_one_line_and_the_study_is_completed_later(
    results: Path, size: int, finished: int
) -> None:
    from comparing import check_mlflow

    command = Command(results.parent, 4)
    assert command.run("--only", "plain", "--no-tracking")[0] == 0  # makes the data
    shutil.rmtree(command.study)
    ended, out, err = command.run(**_at_most(size))
    assert ended == 1, out + err  # 2 is for bad input, and nothing that was typed is wrong
    assert "Traceback" not in err
    [line] = [line for line in err.splitlines() if line.startswith("ablate: ")]
    assert "File too large; nothing recorded is lost" in line
    record = TrialFile.load(command.record)
    assert record.torn == b""
    assert len(record.finished) == finished
    assert not (command.study / "leases").exists()

    ended, out, err = command.run()
    assert ended == 0, out + err
    assert len(TrialFile.load(command.record).lines) == 2
    assert check_mlflow(command.store, command.record) == []
