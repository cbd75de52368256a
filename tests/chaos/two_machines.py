"""Two sweeps that cannot see each other's processes, on one results folder: containers, and a machine that slept.

`namespaces`: two namespaces of process numbers with one host name, each with a sweep. `stopped`: a sweep that is
stopped (SIGSTOP) for longer than a lease may be silent, while one with another host name goes on; then it is
woken up. After both, each trial is trained once but for what was lost, and record and MLflow are equal. Needs root.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from comparing import check_mlflow, finished_keys, read_record

STUDY = """
title: Chaos
question: Do two machines train a trial twice?
baseline: {backbone: resnet8, variant: {reduction: 8}, data: digits}
recipe: {base: cifar-quick, epochs: %d, warmup: 0.2, batch_size: 64, lr: 0.1, pad: 1, precision: fp32}
axes:
  squeeze: [avg, max]
"""
TRIALS = 6
ROOT = Path(__file__).parents[2]
ABLATE = (
    "import ablations.running.record.leases as leases; leases.STALE_SECONDS = {stale};"
    " from ablations.cli import main; main()"
)
NAMESPACES = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
OTHER_HOST = ("unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh")


def permitted() -> bool:
    """Return whether this user may make namespaces."""
    tried = [*NAMESPACES, *OTHER_HOST, "true"]
    return sys.platform == "linux" and subprocess.run(tried, capture_output=True).returncode == 0


def start(
    folder: Path, data_dir: Path, stale_seconds: float, wrapper: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    """Start a sweep of the study in a folder, behind a command that separates it from the others."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    words = ["run", "chaos.yaml", "--seeds=2", f"--data-dir={data_dir}", "--workers=1"]
    command = [*wrapper, sys.executable, "-c", ABLATE.format(stale=stale_seconds), *words]
    with (folder / "ablate.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def two_namespaces(folder: Path, data_dir: Path, stale_seconds: float, epochs: int) -> list[str]:
    """Let two sweeps with one host name work at once; return what is wrong."""
    (folder / "chaos.yaml").write_text(STUDY % epochs, encoding="utf-8")
    sweeps = [start(folder, data_dir, stale_seconds, NAMESPACES) for _ in range(2)]
    wrong = [f"a sweep ended with {sweep.wait()}" for sweep in sweeps if sweep.wait() != 0]
    return [*wrong, *_wrong_in(folder), *_trained_twice(folder, lost=0)]


def stopped(
    folder: Path, data_dir: Path, stale_seconds: float, stop_seconds: float, epochs: int
) -> list[str]:
    """Stop one of two sweeps for longer than its leases live; return what is wrong."""
    (folder / "chaos.yaml").write_text(STUDY % epochs, encoding="utf-8")
    sleeper = start(folder, data_dir, stale_seconds, ())
    while not list((folder / "results/chaos/running").glob("*.jsonl")):
        if sleeper.poll() is not None:
            return ["the first sweep ended too early"]
        time.sleep(0.05)
    family = [psutil.Process(sleeper.pid), *psutil.Process(sleeper.pid).children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    leased = len(list((folder / "results/chaos/leases").glob("*.json")))
    began = time.monotonic()
    other = start(folder, data_dir, stale_seconds, OTHER_HOST)
    time.sleep(stop_seconds)
    while (
        other.poll() is None
        and time.monotonic() - began < 10 * stop_seconds
        and _leased_by(folder, sleeper.pid)
    ):
        time.sleep(0.05)  # on a busy machine the other has begun late
    kept = _leased_by(folder, sleeper.pid)
    for process in family:
        process.send_signal(signal.SIGCONT)
    print(f"stopped with {leased} leases for {time.monotonic() - began:.0f} s; {kept} kept", flush=True)
    wrong = [f"a sweep ended with {sweep.wait()}" for sweep in (sleeper, other) if sweep.wait() != 0]
    wrong += ["the stopped sweep lost nothing: nothing was tried"] if kept == leased else []
    return [*wrong, *_wrong_in(folder), *_trained_twice(folder, lost=leased)]


def _leased_by(folder: Path, pid: int) -> int:
    leases = (folder / "results/chaos/leases").glob("*.json")
    return sum(f'"pid": {pid},' in path.read_text(encoding="utf-8") for path in leases)


def _wrong_in(folder: Path) -> list[str]:
    record = folder / "results/chaos/trials.jsonl"
    count = finished_keys(record)
    wrong = [f"{key} is finished {times} times" for key, times in count.items() if times > 1]
    wrong += [f"{len(count)} of {TRIALS} trials are finished"] if len(count) != TRIALS else []
    wrong += [
        f"a trial failed: {line['failure']}" for line in read_record(record) if line["status"] == "failed"
    ]
    return [*wrong, *check_mlflow(folder / "results/mlflow.db", record)]


def _trained_twice(folder: Path, lost: int) -> list[str]:
    """Compare the runs that MLflow has, closed ones included, with the trials: each attempt opened one."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "results/mlflow.db")) as database:
        [[runs]] = database.execute("select count(*) from tags where key = 'senet.key'").fetchall()
    print(f"{runs} attempts at {TRIALS} trials", flush=True)
    return [f"{runs} attempts at {TRIALS} trials"] if runs > TRIALS + lost else []


def main() -> int:
    """Run one of the two, and say what is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=["namespaces", "stopped"])
    parser.add_argument("--stale", type=float, default=90.0)
    parser.add_argument("--stop", type=float, default=100.0)
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="two-machines-"))
    data = folder / "data"
    if given.which == "namespaces":
        wrong = two_namespaces(folder, data, given.stale, given.epochs)
    else:
        wrong = stopped(folder, data, given.stale, given.stop, given.epochs)
    print("\n".join(wrong) or f"{given.which}: each trial trained once, record and MLflow equal ({folder})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
