"""Kill a real study's sweep and its workers again and again, and compare what comes of it with a quiet run.

`make chaos` runs it; `CHAOS_KILLS=10` makes it shorter. A small study on scikit-learn's digits is swept by
`ablate run`. At seeded random instants a worker or the sweep itself is ended by SIGKILL: while it starts, while it
trains, in the milliseconds after a line was added to the record, while the report is written. Whenever the sweep has
ended, the same command starts it again; seeds are added while there are kills left. With `--sweeps 2`, two commands
work on the one study at once, each under fire. Then a second folder gets the same study without a kill, and
`comparing.py` says what differs. The exit status is 1 if anything does.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
from comparing import analysed_at, compare, finished_keys

STUDY = """
title: Chaos
question: Does a sweep survive being killed?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: digits
recipe: {base: cifar-quick, epochs: %d, warmup: 0.2, batch_size: 64, lr: 0.1, pad: 1, precision: fp32}
axes:
  squeeze: [avg, max]
  excitation: [sigmoid, tanh]
"""
ROWS = 4
QUIET_SECONDS = 300.0  # a sweep that records nothing for so long, unharmed, hangs
LAST_TRIES = 5
GOOD = "none lost, none doubled, record, report and MLflow equal"
ABLATE = "from ablations.cli import main; main()"
ROOT = Path(__file__).parents[2]


class Chaos:
    """One study under fire.

    Args:
        folder: to run in.
        data_dir: for the prepared data.
        kills: how many are wanted.
        seed: of the instants and the victims.
        pause_seconds: mean time between two kills.
        sweeps: that work on the study at once.
    """

    def __init__(
        self, folder: Path, data_dir: Path, kills: int, seed: int, pause_seconds: float, sweeps: int = 1
    ) -> None:
        self.folder, self.data_dir, self.wanted, self.pause = folder, data_dir, kills, pause_seconds
        self.sweeps, self.lock = sweeps, threading.Lock()
        self.most_at_once = self.at_once = 0
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.seeds = 2
        self.starts = 0
        self.faults: list[str] = []
        self.workers: dict[int, psutil.Process] = {}

    @property
    def record(self) -> Path:
        return self.folder / "results" / "chaos" / "trials.jsonl"

    def run(self) -> None:
        """Kill until enough were killed, then let the study come to its end."""
        with ThreadPoolExecutor(self.sweeps) as shells:
            for shell in [shells.submit(self._keep_sweeping) for _ in range(self.sweeps)]:
                shell.result()
        for _ in range(LAST_TRIES):
            if self.faults or self._wait(self._start()) == 0:
                break
        else:
            self.faults.append(f"the study did not end in {LAST_TRIES} sweeps without kills")
        self._look_for_orphans()
        said = (self.folder / "ablate.log").read_text(encoding="utf-8", errors="replace")
        for sign in ("Traceback", "internal error"):
            if sign in said:
                self.faults.append(f"{sign!r} in {self.folder / 'ablate.log'}")

    def _keep_sweeping(self) -> None:
        """Do what one shell does: start a sweep, and another one when that has ended."""
        while self.kills.total() < self.wanted and not self.faults:
            with self.lock:
                if ROWS * self.seeds - len(finished_keys(self.record)) < 2 * ROWS * self.sweeps:
                    self.seeds += 1
            sweep = self._start()
            with self.lock:
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                self._under_fire(sweep)
            finally:
                with self.lock:
                    self.at_once -= 1

    def _under_fire(self, sweep: subprocess.Popen[bytes]) -> None:
        if self.random.random() < 0.15:
            self._sleep(sweep, self.random.uniform(0.0, 8.0))
            self._kill_sweep(sweep, "starting")
            return
        for _ in range(self.random.randint(1, 3)):
            victim = self._next_worker(sweep)
            if victim is None or self.kills.total() >= self.wanted:
                break
            with suppress(psutil.NoSuchProcess):
                victim.kill()
                self._count("worker")
        if self.kills.total() >= self.wanted or self.random.random() < 0.15:
            self._wait(sweep)  # it must end by itself after its workers were killed
        elif self.random.random() < 0.5:
            self._wait_for_line(sweep)
            time.sleep(self.random.uniform(0.0, 0.1))
            self._kill_sweep(sweep, "recording")
        else:
            self._sleep(sweep, self.random.expovariate(1 / self.pause))
            self._kill_sweep(sweep, "sweep")

    def _start(self) -> subprocess.Popen[bytes]:
        with self.lock:
            self.starts += 1
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        words = ["run", "chaos.yaml", f"--seeds={self.seeds}", f"--data-dir={self.data_dir}", "--workers=2"]
        with (self.folder / "ablate.log").open("ab") as log:
            log.write(f"--- start {self.starts}, {self.seeds} seeds\n".encode())
            log.flush()
            command = [sys.executable, "-c", ABLATE, *words]
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def _next_worker(self, sweep: subprocess.Popen[bytes]) -> psutil.Process | None:
        """Wait until there are workers, or some work of theirs to lose, and a random time longer; return one."""
        ready = self._has_trained if self.random.random() < 0.6 else self._workers_of
        while not ready(sweep):
            if sweep.poll() is not None:
                return None
            time.sleep(0.2)
        self._sleep(sweep, self.random.expovariate(1 / self.pause))
        workers = sorted(self._workers_of(sweep), key=lambda process: process.pid)
        return self.random.choice(workers) if workers else None

    def _workers_of(self, sweep: subprocess.Popen[bytes]) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(sweep.pid).children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if any("spawn_main" in word for word in process.cmdline()):
                        found.append(process)
        self.workers |= {process.pid: process for process in found}
        return found

    def _has_trained(self, sweep: subprocess.Popen[bytes]) -> bool:
        self._workers_of(sweep)
        for path in self.record.parent.glob("running/*.jsonl"):
            with suppress(OSError):
                if b'"epoch"' in path.read_bytes():
                    return True
        return False

    def _kill_sweep(self, sweep: subprocess.Popen[bytes], moment: str) -> None:
        self._workers_of(sweep)  # they must not outlive it
        if sweep.poll() is None:
            sweep.send_signal(signal.SIGKILL)
            sweep.wait()
            self._count(moment)

    def _count(self, victim: str) -> None:
        with self.lock:
            self.kills[victim] += 1
            done = len(finished_keys(self.record))
            print(
                f"kill {self.kills.total()}: {victim}; {done} of {ROWS * self.seeds} trials finished",
                flush=True,
            )

    def _wait(self, sweep: subprocess.Popen[bytes]) -> int:
        """Wait for a sweep's own end; returns its status."""
        while sweep.poll() is None and not self.faults:
            self._wait_for_line(sweep)
        status = sweep.wait()
        if status not in (0, 1):
            self.faults.append(f"start {self.starts} ended with status {status}")
        return status

    def _wait_for_line(self, sweep: subprocess.Popen[bytes]) -> None:
        self._workers_of(sweep)
        before, until = self._size(), time.monotonic() + QUIET_SECONDS
        while sweep.poll() is None and self._size() == before:
            time.sleep(0.02)
            if time.monotonic() > until:
                self.faults.append(f"start {self.starts} hangs: nothing recorded in {QUIET_SECONDS:g} s")
                sweep.kill()

    def _size(self) -> int:
        return self.record.stat().st_size if self.record.exists() else 0

    def _sleep(self, sweep: subprocess.Popen[bytes], seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            sweep.wait(seconds)

    def _look_for_orphans(self) -> None:
        until = time.monotonic() + 60
        while (alive := [p for p in self.workers.values() if p.is_running()]) and time.monotonic() < until:
            time.sleep(0.5)
        if alive:
            self.faults.append(f"{len(alive)} worker processes outlived their sweeps")
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _quiet(folder: Path, data_dir: Path, analyses: list[int], seeds: int) -> Chaos:
    """Run the study without a kill, with the numbers of seeds at which the other one was analysed."""
    quiet = Chaos(folder, data_dir, 0, 0, 1.0)
    for quiet.seeds in dict.fromkeys([*analyses, seeds]):
        quiet.run()
    return quiet


def main() -> int:
    """Run both studies, compare them, and say in one line what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the instants and the victims")
    parser.add_argument("--epochs", type=int, default=5, help="of a trial")
    parser.add_argument("--pause", type=float, default=2.5, help="mean seconds between kills")
    parser.add_argument("--sweeps", type=int, default=1, help="that work on the study at once")
    parser.add_argument("--folder", type=Path, help="where to run; kept. A temporary one if not given")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))).absolute()
    for name in ("chaos", "quiet"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        (folder / name / "chaos.yaml").write_text(STUDY % options.epochs, encoding="utf-8")
    started = time.monotonic()
    chaos = Chaos(
        folder / "chaos", folder / "data", options.kills, options.seed, options.pause, options.sweeps
    )
    chaos.run()
    under_fire = time.monotonic() - started
    quiet = _quiet(folder / "quiet", folder / "data", analysed_at(chaos.folder), chaos.seeds)
    faults = [*chaos.faults, *quiet.faults, *compare(chaos.folder, quiet.folder, chaos.kills["worker"])]
    for fault in faults:
        print(f"fault: {fault}")
    together = f", {chaos.most_at_once} at once," if options.sweeps > 1 else ""
    shown = ", ".join(f"{count} {name}" for name, count in sorted(chaos.kills.items()))
    print(
        f"chaos: {chaos.kills.total()} kills ({shown}) over {chaos.starts} sweeps{together} in {under_fire:.0f} s, seed"
        f" {options.seed}; {ROWS * chaos.seeds} trials against the quiet run: "
        + (f"{len(faults)} faults, see {folder}" if faults else GOOD)
    )
    if not faults and options.folder is None:
        shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
