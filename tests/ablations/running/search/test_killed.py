"""A real search, killed with SIGKILL again and again, ends with exactly its budget; several drivers share one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest

from ablations.running.search.storage import FILE_NAME, close_storage, open_storage, storage_url

ROOT = Path(__file__).parents[4]
STUDY = """
title: Small
question: Which block?
baseline:
  backbone: resnet8
  variant: {{reduction: 8}}
  data: {{name: digits, train_images: 80, test_images: 40}}
recipe: {{base: cifar-quick, epochs: 3, warmup: 0.2, batch_size: 32, lr: 0.05, pad: 1, precision: fp32}}
axes: {{squeeze: [avg, max, none], excitation: [sigmoid, relu], reduction: [2, 4, 8]}}
design: search
search: {{trials: {trials}, validation_images: 40, any_stages: true}}
confirm: 2
"""
KILLS = 20
PATIENCE_SECONDS = 600.0


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from ablations.cli import main; main()", "run", "search.yaml", "--no-tracking",
         "--workers", "2", *more],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def finished_proposals(folder: Path) -> int:
    """How many proposals the record has as finished; none is there twice."""
    lines = [json.loads(line) for line in (folder / "results/search/trials.jsonl").read_text().splitlines()]
    finished = [
        line["key"]
        for line in lines
        if line["status"] == "finished" and line["trial"]["data"].get("validation_images")
    ]
    assert len(set(finished)) == len(finished)
    return len(finished)


def states(url: str) -> Counter[str]:
    storage = open_storage(url)
    found = [
        trial.state.name
        for summary in optuna.get_all_study_summaries(storage=storage)
        for trial in optuna.load_study(study_name=summary.study_name, storage=storage).trials
    ]
    close_storage(storage)
    return Counter(found)


@pytest.mark.slow
def test_a_search_that_is_killed_twenty_times_ends_with_exactly_its_budget(tmp_path: Path) -> None:
    trials, dice = 3 * KILLS, random.Random(0)
    (tmp_path / "search.yaml").write_text(STUDY.format(trials=trials))
    record, kills = tmp_path / "results/search/trials.jsonl", 0
    for _ in range(KILLS):
        before = record.read_text().count("\n") if record.exists() else 0
        process = start(tmp_path)
        until = time.monotonic() + PATIENCE_SECONDS
        proposals = tmp_path / "results/search/proposals.jsonl"
        asked = proposals.read_text().count("\n") if proposals.exists() else 0
        while time.monotonic() < until and process.poll() is None:
            now = record.read_text().count("\n") if record.exists() else 0
            new = proposals.read_text().count("\n") if proposals.exists() else 0
            if now > before or new > asked + 1:  # it works
                break
            time.sleep(0.05)
        time.sleep(dice.uniform(0, 0.7))
        kills += process.poll() is None
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert kills == KILLS
    process = start(tmp_path)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0, said
    finished = finished_proposals(tmp_path)
    optuna_states = states(f"sqlite:///{tmp_path / 'results/search' / FILE_NAME}")
    print(f"{KILLS} kills: {finished} of {trials} proposals finished, Optuna has {dict(optuna_states)}")
    assert finished == trials
    assert optuna_states["COMPLETE"] == trials
    assert optuna_states["RUNNING"] == optuna_states["WAITING"] == 0


@dataclass(frozen=True)
class Database:
    url: str
    server: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it at once, with every connection."""
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(60)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Database]:
    """A PostgreSQL server of its own, from Debian's package; it does not run as root."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), Path(shutil.which("initdb") or "/nowhere/x").parent]
    programs = next((folder for folder in reversed(found) if (folder / "initdb").exists()), None)
    if programs is None:
        if os.environ.get("SENET_NEEDS_POSTGRES"):
            pytest.fail("there is no PostgreSQL here; Debian's package is postgresql")
        pytest.skip("there is no PostgreSQL here; Debian's package is postgresql")
    folder = tmp_path / "postgres"
    folder.mkdir()
    who: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        for above in (folder, *folder.parents):
            if above.stat().st_uid == 0 and str(above).startswith("/tmp/"):
                above.chmod(above.stat().st_mode | 0o011)
        who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"HOME={folder}"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = [
        programs / "initdb",
        "-D",
        folder / "data",
        "-U",
        "search",
        "--auth=trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run([*who, *map(str, made)], check=True, capture_output=True, cwd=folder)
    serve = [programs / "postgres", "-D", folder / "data", "-p", port, "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]  # fmt: skip
    server = subprocess.Popen([*who, *map(str, serve)], cwd=folder, stderr=subprocess.DEVNULL)
    url = f"postgresql://search@127.0.0.1:{port}/postgres"
    _wait_until_it_answers(url)
    database = Database(url, server)
    yield database
    if server.poll() is None:
        database.stop()


def _wait_until_it_answers(url: str) -> None:
    import psycopg

    for _ in range(300):
        with suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2).close()
            return
        time.sleep(0.2)
    pytest.fail("PostgreSQL did not answer within a minute")


@pytest.mark.slow
def test_drivers_that_start_together_make_the_tables_once(tmp_path: Path, postgres: Database) -> None:
    url = storage_url(postgres.url, tmp_path)
    together = threading.Barrier(8)

    def starts(_: int) -> int:
        together.wait()
        storage = open_storage(url)
        try:
            return len(storage.get_all_studies())
        finally:
            close_storage(storage)

    with ThreadPoolExecutor(8) as drivers:
        assert list(drivers.map(starts, range(8))) == [0] * 8


@pytest.mark.slow
def test_several_drivers_share_one_search_in_postgresql(tmp_path: Path, postgres: Database) -> None:
    trials = 16
    (tmp_path / "search.yaml").write_text(STUDY.format(trials=trials))
    drivers = [start(tmp_path, "--storage", postgres.url) for _ in range(3)]

    def trains() -> bool:
        for path in (tmp_path / "results/search/leases").glob("*.json"):
            with suppress(OSError, ValueError):
                if json.loads(path.read_text())["pid"] == drivers[1].pid:
                    return True
        return False

    end = time.monotonic() + PATIENCE_SECONDS
    while not trains():
        assert drivers[1].poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(drivers[1].pid, signal.SIGKILL)  # one of them dies on the way
    said = [driver.communicate(timeout=PATIENCE_SECONDS)[0] for driver in drivers]

    assert [drivers[0].returncode, drivers[2].returncode] == [0, 0], said
    finished = finished_proposals(tmp_path)
    assert finished == trials
    found = states(storage_url(postgres.url, tmp_path))
    assert found["COMPLETE"] == trials
    assert found["RUNNING"] == 0
    lines = [json.loads(line) for line in (tmp_path / "results/search/trials.jsonl").read_text().splitlines()]
    assert len({line["key"] for line in lines}) == len(lines)  # nothing was trained twice


@pytest.mark.slow
def test_a_database_that_goes_away_ends_the_proposals_and_nothing_is_lost(
    tmp_path: Path, postgres: str
) -> None:
    (tmp_path / "search.yaml").write_text(STUDY.format(trials=200))
    driver = start(tmp_path, "--storage", postgres.url)
    record = tmp_path / "results/search/trials.jsonl"
    until = time.monotonic() + PATIENCE_SECONDS
    while not (record.exists() and record.read_text().count("\n") >= 3) and time.monotonic() < until:
        time.sleep(0.1)
    postgres.stop()
    said, _ = driver.communicate(timeout=PATIENCE_SECONDS)

    assert driver.returncode == 1, said
    assert "no more proposals: Optuna's storage failed" in said
    assert "Traceback" not in said
    assert finished_proposals(tmp_path) >= 3
