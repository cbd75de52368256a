"""What a trial costs beside its training, in the process pool and on Ray, and the driver's memory as trials grow."""

from __future__ import annotations

import argparse
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
from dataclasses import replace
from pathlib import Path
from typing import Any

from pages import table, write_page

from ablations.planning.design import Design, design
from ablations.planning.study_file import parse_study
from ablations.running.data import ensure_prepared
from ablations.running.machine.environment import available_cores, describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.record.study_paths import Places
from ablations.running.record.trial_record import EpochMetrics, TrialResult
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings
from ablations.running.training.task import TaskOutcome

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
        "base": "cifar-quick",
        "iterations": 1,
        "warmup": 0,
        "batch_size": 8,
        "precision": "fp32",
        "pad": 1,
    },
    "axes": {"squeeze": ["avg", "max"]},
    "include_plain": False,
}
ROWS = 2
WORDS = {"pool": "process pool", "ray": "Ray, here", "canned": "no workers"}
PLACES = tuple(WORDS)


class Quiet:
    """A display that shows nothing."""

    def _nothing(self, *_: Any) -> None:
        pass

    begin = extend = say = update = finished = _nothing


class Canned(Executor):
    """Stand in for the workers: every task has its outcome at once, so that only the driver's work is left."""

    def __init__(self, digest: str) -> None:
        environment = describe_environment(device="cpu", precision="fp32", threads=1, kernels=NO_KERNELS)
        epochs = tuple(
            EpochMetrics(epoch=e, train_loss=0.9**e, train_error=30.0, lr=0.1, seconds=16.0)
            for e in range(1, 11)
        )
        result = TrialResult(
            top1_error=8.5, top5_error=0.4, test_loss=0.4, train_loss=0.3, train_error=10.0, parameters=274_847,
            multiply_adds=40_810_000, bottleneck_widths={"2": 1, "3": 2, "4": 4}, train_seconds=160.0,
            test_seconds=2.0, peak_memory_mib=800.0, weights_sha256="0" * 64,
        )  # fmt: skip
        at = "2026-01-01T00:00:00+00:00"
        self._outcome = TaskOutcome(result, epochs, None, environment, digest, "", at, at)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the canned outcome."""
        future: Future[Any] = Future()
        future.set_result(replace(self._outcome))
        return future


class Counting(Executor):
    """Pass tasks on, and sum what they took in their workers."""

    def __init__(self, inner: Executor) -> None:
        self._inner, self.seconds = inner, 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit to the executor inside."""
        future = self._inner.submit(fn, *args, **kwargs)
        future.add_done_callback(self._add)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the executor inside."""
        self._inner.shutdown(wait, cancel_futures=cancel_futures)

    def _add(self, future: Future[Any]) -> None:
        self.seconds += future.result().seconds


def many_trials(trials: int) -> Design:
    """Return a study of so many trials, an even number."""
    return design(parse_study({**STUDY, "seeds": trials // ROWS}))


def measure(place: str, trials: int, workers: int) -> dict[str, Any]:
    """Sweep in this process; returns wall seconds, the trials' own seconds, and the driver's memory."""
    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name, ExitStack() as after:
        folder, study = Path(name), many_trials(trials)
        prepared = ensure_prepared(study.study.baseline.data, folder / "data")
        places = Places("overhead", folder / "results", folder / "reports")
        settings = Settings(data_dir=folder / "data", digest=prepared.digest, workers=workers)
        executor = Counting(_executor(place, workers, prepared.digest, after))
        before = resident_mib()
        started, cpu = time.perf_counter(), time.process_time()
        outcome = sweep(study, places, settings, make_executor=lambda: executor, display=Quiet())
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert outcome.trained == len(study.trials), outcome
        return {
            "place": place,
            "trials": len(study.trials),
            "workers": workers,
            "wall_seconds": round(wall, 2),
            "trial_seconds": round(executor.seconds, 2),
            # of the workers' time that no trial took: start-up of the workers, hand-over, record
            "overhead_seconds_per_trial": round((wall - executor.seconds / workers) / len(study.trials), 4),
            "driver_cpu_seconds_per_trial": round(cpu / len(study.trials), 5),
            "driver_mib_before": round(before),
            "driver_mib_after": round(resident_mib()),
            "driver_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "record_mib": round(places.record.stat().st_size / 2**20, 2),
        }


def _executor(place: str, workers: int, digest: str, after: ExitStack) -> Executor:
    if place == "canned":
        return Canned(digest)
    if place == "pool":
        from ablations.running.executors.process_pool import WorkerPool

        return WorkerPool(workers, threads=1)
    from ablations.running.executors.ray_cluster import Resources, connected
    from ablations.running.executors.ray_executor import RayExecutor

    after.enter_context(connected(None, cpus=workers))
    return RayExecutor(Resources())


def resident_mib() -> float:
    """Return what this process holds of the machine's memory."""
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def main() -> None:
    """Measure each place in a process of its own, and write results/bench-overhead/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000, help="through the pool and Ray")
    parser.add_argument(
        "--canned", type=int, nargs="*", default=[1_000, 2_000, 5_000, 10_000], help="without workers"
    )
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--out", type=Path, default=Path("results/bench-overhead"), help="folder")
    parser.add_argument("--only", choices=PLACES, help="measure here, and print")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.trials, options.workers)))
        return
    wanted = [("pool", options.trials), ("ray", options.trials), *(("canned", n) for n in options.canned)]
    found = []
    for place, trials in wanted:
        words = ["--only", place, "--trials", str(trials), "--workers", str(options.workers)]
        done = subprocess.run(
            [sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(found[-1]), flush=True)
    command = f"python bench/overhead.py --trials {options.trials} --workers {options.workers}"
    write_page(options.out, {"measured": found, "load": os.getloadavg()[0]}, page(found), command)


def page(found: Sequence[dict[str, Any]]) -> str:
    """Return the table of what was measured."""
    heads = ["where", "trials", "wall, s", "overhead a trial, s", "driver's CPU a trial, ms",
             "driver's memory before, MiB", "after", "record, MiB"]  # fmt: skip
    rows = [
        [
            WORDS[one["place"]],
            f"{one['trials']:,}",
            f"{one['wall_seconds']:.0f}",
            f"{one['overhead_seconds_per_trial']:.3f}",
            f"{1000 * one['driver_cpu_seconds_per_trial']:.1f}",
            f"{one['driver_mib_before']:,}",
            f"{one['driver_mib_after']:,}",
            f"{one['record_mib']:.2f}",
        ]
        for one in found
    ]
    return (
        f"{table(heads, rows)}\n\nOverhead: wall time less the trials' own, shared among {found[0]['workers']} workers,"
        " divided by the trials; it has the start of the workers, the hand-over and the record in it. Without workers,"
        " outcomes of ten epochs come ready-made, so that only the driver's work is left."
    )


if __name__ == "__main__":
    main()
