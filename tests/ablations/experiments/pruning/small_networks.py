"""A study of two small trained networks whose weights are kept, and studies that prune them; workers are threads."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml

from ablations.analysis.results.results import Results
from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import SILENT, Settings
from ablations.running.trials.runner import runner_of

TRAINED: Mapping[str, Any] = {
    "title": "Trained",
    "question": "What is pruned?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 4, "integration": "conv3x3"},
        "data": {"name": "digits", "train_images": 160, "test_images": 60},
    },
    "recipe": {
        "base": "cifar-quick",
        "epochs": 2,
        "batch_size": 32,
        "lr": 0.05,
        "pad": 1,
        "precision": "fp32",
    },
    "axes": {"integration": ["conv3x3", "standard"]},
    "seeds": 2,
    "keep_weights": True,
}
PRUNED: Mapping[str, Any] = {
    "title": "Pruned",
    "question": "Which ranking?",
    "experiment": {"kind": "pruning", "study": "trained.yaml", "row": "SE_3x3 r=4", "gate_images": 100},
    "baseline": {"ranking": "random", "ratio": 0.5},
    "axes": {"ranking": ["random", "gate"], "ratio": [0.25, 0.5]},
    "design": "grid",
    "seeds": 2,
    "margin": 1,
}


def changed(study: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a study with other fields; `experiment__row` is the field of a field, and None leaves one out."""
    found = {**study, **{name: dict(value) for name, value in study.items() if isinstance(value, dict)}}
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        place = found[outer] if inner else found
        if value is None:
            place.pop(inner or outer, None)
        else:
            place[inner or outer] = value
    return found


class Home:
    """A folder with the files of both studies, their data, results and reports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.write("trained", TRAINED)
        self.write("pruned", PRUNED)

    def write(self, name: str, study: Mapping[str, Any]) -> Path:
        """Write the file of a study."""
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(dict(study)), encoding="utf-8")
        return path

    def design(self, name: str) -> Design:
        """Return a study, unfolded."""
        return design(load_study(str(self.folder / f"{name}.yaml")))

    def paths(self, name: str) -> StudyPaths:
        """Return where a study's files are."""
        return StudyPaths(name, self.folder / "results", self.folder / "reports")

    def run(self, name: str) -> StudyRecord:
        """Run a study, and return its record."""
        study = self.design(name)
        inputs = runner_of(study.study).prepare(study, self.folder / "data", print)
        settings = Settings(data_dir=self.folder / "data", inputs=inputs)
        with ThreadPoolExecutor(1, initializer=partial(torch.set_num_threads, 1)) as threads:
            done = sweep(study, self.paths(name), settings, make_executor=lambda: threads, display=SILENT)
        return done.record

    def results(self, name: str) -> Results:
        """Return what a study has measured."""
        return Results(self.design(name), self.paths(name).open_record())

    def copied(self, folder: Path) -> Home:
        """Return a copy."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Home(folder)
