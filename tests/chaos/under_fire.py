"""A study whose sweeps and workers are killed, at random instants and in the midst of writes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
from comparing import DRAFTS, check_outcomes, check_weights, finished_keys
from inherited.midway import VARIABLE
from orders import Order, Orders
from studies import Grid, Search

QUIET_SECONDS = 300.0  # a sweep that records nothing for so long, unharmed, hangs
LAST_TRIES = 5
MIDWAY = 0.6  # of the starts: most others see two or three kills
ABLATE = "from ablations.cli import main; main()"
ROOT = Path(__file__).parents[2]
INHERITED = Path(__file__).parent / "inherited"


class Chaos:
    """One study under fire.

    Args:
        subject: the study.
        folder: to run in.
        data_dir: for the prepared data.
        kills: how many are wanted; none of any kind where it is 0.
        seed: of the instants and the victims.
        pause_seconds: mean time between two kills.
        sweeps: that work on the study at once.

    Attributes:
        worker_kills: how often another process than a sweep's own was killed.
        concluded: sizes of the study at which it came to its end.
        forecasts: that were made to their end.
    """

    def __init__(
        self,
        subject: Grid | Search,
        folder: Path,
        data_dir: Path,
        kills: int = 0,
        seed: int = 0,
        pause_seconds: float = 1.0,
        sweeps: int = 1,
    ) -> None:
        self.subject, self.folder, self.data_dir = subject, folder, data_dir
        self.wanted, self.pause, self.sweeps = kills, pause_seconds, sweeps
        self.lock = threading.RLock()
        self.most_at_once = self.at_once = 0
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.orders = Orders(folder, subject.kinds if kills else (), self.random)
        self.starts = 0
        self.faults: list[str] = []
        self.workers: dict[int, psutil.Process] = {}
        self.worker_kills = 0
        self.concluded: list[int] = []
        self.forecasts = 0

    @property
    def record(self) -> Path:
        return self.folder / "results" / "chaos" / "trials.jsonl"

    def run(self) -> None:
        """Kill until enough were killed, then let the study come to its end."""
        with ThreadPoolExecutor(self.sweeps) as shells:
            for shell in [shells.submit(self._keep_sweeping) for _ in range(self.sweeps)]:
                shell.result()
        self.faults += [f"nothing was killed in writing: {kind}" for kind in self.orders.missing(self.kills)]
        self._age_drafts()
        for _ in range(LAST_TRIES):
            if self.faults or self._wait(self._start()) == 0:
                break
        else:
            self.faults.append(f"the study did not end in {LAST_TRIES} sweeps without kills")
        self.concluded.append(self.subject.size)
        self._look_for_orphans()
        if (
            self.wanted
            and self._wait(self._start("doctor", "chaos", "--fix", f"--data-dir={self.data_dir}")) != 0
        ):
            self.faults.append(f"the doctor has found something: see the end of {self.folder / 'ablate.log'}")
        said = (self.folder / "ablate.log").read_text(encoding="utf-8", errors="replace")
        for sign in ("Traceback", "internal error"):
            if sign in said:
                self.faults.append(f"{sign!r} in {self.folder / 'ablate.log'}")

    def _goes_on(self) -> bool:
        enough = self.kills.total() >= self.wanted and not self.orders.hopeful(self.kills)
        return not (enough or self.faults)

    def _keep_sweeping(self) -> None:
        """Do what one shell does: start a sweep, and another one when that has ended."""
        ended = False
        while self._goes_on():
            order = None
            with self.lock:
                if ended:
                    self.concluded.append(self.subject.size)
                self.subject.grow(len(finished_keys(self.record)), self.sweeps, ended=ended)
                only_orders = self.kills.total() >= self.wanted
                if only_orders or self.random.random() < MIDWAY:
                    order = self.orders.write(self.kills)
                    if order.kind == "plan":  # which is written where it is another one
                        self.subject.grow(self.subject.trials, self.sweeps, ended=False)
            if order is not None and order.kind == "forecast":
                ended = False
                self._forecast(order)
                continue
            sweep = self._start(order=order)
            with self.lock:
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                if order is None or self._until_taken(sweep, order):
                    self._under_fire(sweep)
            finally:
                with self.lock:
                    self.at_once -= 1
            ended = sweep.poll() == 0

    def _forecast(self, order: Order) -> None:
        """Make a forecast, in whose writing the process is killed."""
        words = ["plan", "chaos.yaml", *self.subject.words(), f"--data-dir={self.data_dir}", "--workers=2"]
        plan = self._start(*words, "--sd=0.5", "--calibrate=0", order=order)
        if plan.wait() == 0:
            self.forecasts += 1
        elif order.taken_by is not None:
            self._count(order.kind)
        else:
            self.faults.append(f"start {self.starts}, of `ablate plan`, ended with status {plan.returncode}")

    def _until_taken(self, sweep: subprocess.Popen[bytes], order: Order) -> bool:
        """Wait until a process has ended by an order, or the sweep by itself; return whether the sweep goes on."""
        while sweep.poll() is None and order.taken_by is None and not self.faults:
            self._wait_for_line(sweep, order)
        if order.taken_by is None:
            self._wait(sweep)
            return False
        if order.taken_by == sweep.pid:
            sweep.wait()
        else:
            self.worker_kills += 1
        self._count(order.kind)
        return sweep.poll() is None

    def _under_fire(self, sweep: subprocess.Popen[bytes]) -> None:
        if self.random.random() < 0.15:
            self._sleep(sweep, self.random.uniform(0.0, 8.0))
            self._kill_sweep(sweep, "starting")
            return
        for _ in range(self.random.randint(1, 3) if self.subject.kills_workers else 0):
            victim = self._next_worker(sweep)
            if victim is None or self.kills.total() >= self.wanted:
                break
            with suppress(psutil.NoSuchProcess):
                victim.kill()
                self.worker_kills += 1
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

    def _start(self, *words: str, order: Order | None = None) -> subprocess.Popen[bytes]:
        """Start a command, the study's sweep if no words are given."""
        environment = {**os.environ, "PYTHONPATH": f"{INHERITED}{os.pathsep}{ROOT}", "PYTHONUNBUFFERED": "1"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        if order is not None:
            environment[VARIABLE] = str(order.path)
        with self.lock:
            self.starts += 1
            sweep = ("run", "chaos.yaml", *self.subject.words(), f"--data-dir={self.data_dir}", "--workers=2")
        command = [sys.executable, "-c", ABLATE, *(words or sweep)]
        with (self.folder / "ablate.log").open("ab") as log:
            under = "" if order is None else f", {order.path.name}: {order.path.read_text(encoding='utf-8')}"
            log.write(f"--- start {self.starts}, {' '.join(command[3:])}{under}\n".encode())
            log.flush()
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
            folder = self.record.parent
            self.faults += [
                f"after kill {self.kills.total()}: {fault}"
                for fault in (*check_outcomes(folder), *check_weights(folder))
            ]
            print(
                f"kill {self.kills.total()}: {victim}; {done} of {self.subject.trials} trials finished",
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

    def _wait_for_line(self, sweep: subprocess.Popen[bytes], order: Order | None = None) -> None:
        """Wait until something is recorded, an order is taken, or the sweep ends."""
        self._workers_of(sweep)
        before, until = self._size(), time.monotonic() + QUIET_SECONDS
        while sweep.poll() is None and self._size() == before and not (order and order.taken_by):
            time.sleep(0.02)
            if time.monotonic() > until:
                self.faults.append(f"start {self.starts} hangs: nothing recorded in {QUIET_SECONDS:g} s")
                sweep.kill()

    def _size(self) -> int:
        return self.record.stat().st_size if self.record.exists() else 0

    def _sleep(self, sweep: subprocess.Popen[bytes], seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            sweep.wait(seconds)

    def _age_drafts(self) -> None:
        """Let an hour pass for what the killed left unfinished, after which it is nobody's."""
        for path in (path for pattern in DRAFTS for path in self.folder.rglob(pattern)):
            os.utime(path, (0, 0))

    def _look_for_orphans(self) -> None:
        until = time.monotonic() + 60
        while (alive := [p for p in self.workers.values() if p.is_running()]) and time.monotonic() < until:
            time.sleep(0.5)
        if alive:
            self.faults.append(f"{len(alive)} worker processes outlived their sweeps")
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
