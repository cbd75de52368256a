"""Sweeps whose workers are threads, for tests of what comes back from them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from small import DATA, Watcher, of_digits

from ablations.planning.design import Design
from ablations.running.data import ensure_prepared
from ablations.running.record.study_paths import StudyPaths
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings, SweepOutcome
from ablations.running.trials.task import Task, TaskOutcome
from ablations.running.trials.worker import run_task


class Sweeps:
    """Sweeps of one results folder, whose workers are threads; what they return may be changed on its way."""

    def __init__(self, folder: Path) -> None:
        self.results, self.data_dir = folder / "results", folder / "data"
        self.prepared = ensure_prepared(DATA, self.data_dir)
        self.change = lambda outcome: outcome
        self.trained: list[str] = []

    def work(self, task: Task) -> TaskOutcome:
        self.trained.append(task.key)
        outcome: TaskOutcome = self.change(run_task(task))
        return outcome

    def sweep(self, design: Design, **options: Any) -> SweepOutcome:
        settings = Settings(
            **{"data_dir": self.data_dir, "inputs": of_digits(self.prepared.digest), **options}
        )
        # OpenMP counts for each thread; one that is cut short still ends its task, and not beside the next one
        with ThreadPoolExecutor(1, initializer=partial(torch.set_num_threads, 1)) as threads:
            return sweep(
                design, self.paths(design), settings, make_executor=lambda: threads, display=Watcher()
            )

    def paths(self, design: Design) -> StudyPaths:
        return StudyPaths(design.study.name, self.results, self.results)
