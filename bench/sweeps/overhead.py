"""What a trial costs beside its training, in the process pool and on Ray, and the driver's memory as trials grow."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import torch

from ablations.analysis.results.precision import design_of
from ablations.analysis.tables.cells import Number, Text
from ablations.planning.networks.study import network_study
from ablations.planning.study_file import parse_study
from ablations.running.data import ensure_prepared
from ablations.running.machine.cores import available_cores
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.record.study_paths import StudyPaths
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings
from ablations.running.trials.inputs import InputData, Inputs
from ablations.running.trials.task import TaskOutcome
from bench.pages import markdown_table, write_page
from bench.programs import program_parser, run_program, tell
from bench.sweeps.made_up import BEGUN, ENDED, made_up

STUDY = {
    "name": "overhead",
    "title": "Overhead",
    "question": "What does a trial cost beside its training?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 40, "test_images": 20},
    },
    "recipe": {
        "base": "cifar-quick", "iterations": 1, "warmup": 0, "batch_size": 8, "precision": "fp32", "pad": 1,
    },
    "axes": {"squeeze": ["avg", "max"]},
    "include_plain": False,
}  # fmt: skip
ROWS = 2
EXECUTORS = {"pool": "process pool", "ray": "Ray, here", "canned": "no workers"}


class Quiet:
    """A display that shows nothing."""

    def _nothing(self, *_: Any) -> None:
        pass

    begin = extend = say = update = finished = _nothing


class Canned(Executor):
    """Stand in for the workers: every task has its outcome at once, so that only the driver's work is left."""

    def __init__(self, digest: str) -> None:
        environment = describe_environment(
            device=torch.device("cpu"), precision="fp32", threads=1, kernels=NO_KERNELS
        )
        result, history = made_up(8.5)
        self._outcome = TaskOutcome(result, history, None, environment, digest, "", BEGUN, ENDED)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the canned outcome."""
        future: Future[Any] = Future()
        future.set_result(self._outcome)
        return future


def counting(executor: Executor, seconds: list[float]) -> Executor:
    """Add what each task took in its worker to `seconds`."""
    submit = executor.submit

    def submitted(*args: Any, **kwargs: Any) -> Future[Any]:
        future = submit(*args, **kwargs)
        future.add_done_callback(lambda done: seconds.append(done.result().seconds))
        return future

    executor.submit = submitted  # type: ignore[method-assign]
    return executor


def measure(name: str, trials: int, workers: int) -> dict[str, Any]:
    """Sweep in this process; returns wall seconds, the trials' own seconds, and the driver's memory.

    Args:
        name: of the executor.
        trials: of the study, an even number.
        workers: of the executor.
    """
    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as root, ExitStack() as after:
        folder, study = Path(root), design_of(parse_study({**STUDY, "seeds": trials // ROWS}), None)
        prepared = ensure_prepared(network_study(study.study).baseline.data, folder / "data")
        paths = StudyPaths("overhead", folder / "results", folder / "reports")
        settings = Settings(
            data_dir=folder / "data",
            inputs=Inputs({prepared.name: InputData(prepared.digest)}),
            workers=workers,
        )
        seconds: list[float] = []
        executor = counting(_executor(name, workers, prepared.digest, after), seconds)
        before = _resident_mib()
        started, cpu = time.perf_counter(), time.process_time()
        outcome = sweep(study, paths, settings, make_executor=lambda: executor, display=Quiet())
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert outcome.trained == len(study.trials), outcome
        taken = sum(seconds)
        return {
            "place": name,
            "trials": len(study.trials),
            "workers": workers,
            "wall_seconds": round(wall, 2),
            "trial_seconds": round(taken, 2),
            # of the workers' time that no trial took: start-up of the workers, hand-over, record
            "overhead_seconds_per_trial": round((wall - taken / workers) / len(study.trials), 4),
            "driver_cpu_seconds_per_trial": round(cpu / len(study.trials), 5),
            "driver_mib_before": round(before),
            "driver_mib_after": round(_resident_mib()),
            "driver_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "record_mib": round(paths.record.stat().st_size / 2**20, 2),
        }


def _executor(name: str, workers: int, digest: str, after: ExitStack) -> Executor:
    if name == "canned":
        return Canned(digest)
    if name == "pool":
        from ablations.running.executors.process_pool import WorkerPool

        return WorkerPool(workers, threads=1)
    from ablations.running.executors.ray_cluster import Resources, connected
    from ablations.running.executors.ray_executor import RayExecutor

    after.enter_context(connected(None, cpus=workers))
    return RayExecutor(Resources())


def _resident_mib() -> float:
    return psutil.Process().memory_info().rss / 2**20


def main() -> None:
    """Measure each executor in a process of its own, and write results/bench-overhead/."""
    parser = program_parser(__doc__, trials=1_000, workers=available_cores())
    sizes = [1_000, 2_000, 5_000, 10_000]
    parser.add_argument("--canned", type=int, nargs="*", default=sizes, help="trials without workers")
    parser.add_argument("--out", type=Path, default=Path("results/bench-overhead"), help="folder")
    parser.add_argument("--only", choices=EXECUTORS, help="measure here, and print")
    options = parser.parse_args()
    if options.only:
        tell(**measure(options.only, options.trials, options.workers))
        return
    wanted = [("pool", options.trials), ("ray", options.trials), *(("canned", n) for n in options.canned)]
    found = []
    for name, trials in wanted:
        words = ["--only", name, "--trials", str(trials), "--workers", str(options.workers)]
        program = [sys.executable, "-m", "bench.sweeps.overhead", *words]
        done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        tell(**found[-1])
    command = f"sweeps.overhead --trials {options.trials} --workers {options.workers}"
    write_page(options.out, {"measured": found, "load": os.getloadavg()[0]}, page(found), command)


def page(found: Sequence[dict[str, Any]]) -> str:
    """Return the table of what was measured."""
    heads = ["where", "trials", "wall, s", "overhead a trial, s", "driver's CPU a trial, ms",
             "driver's memory before, MiB", "after", "record, MiB"]  # fmt: skip
    rows = [
        (
            Text(EXECUTORS[one["place"]]),
            Number(one["trials"], 0),
            Number(one["wall_seconds"], 0),
            Number(one["overhead_seconds_per_trial"], 3),
            Number(1000 * one["driver_cpu_seconds_per_trial"], 1),
            Number(one["driver_mib_before"], 0),
            Number(one["driver_mib_after"], 0),
            Number(one["record_mib"]),
        )
        for one in found
    ]
    return (
        f"{markdown_table(heads, rows)}\n\nOverhead: wall time less the trials' own, shared among"
        f" {found[0]['workers']} workers, divided by the trials; it has the start of the workers, the hand-over and"
        " the record in it. Without workers, outcomes of ten epochs come ready-made, so that only the driver's work"
        " is left."
    )


if __name__ == "__main__":
    run_program(main)
