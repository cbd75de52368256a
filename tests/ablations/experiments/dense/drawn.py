"""Small studies of detection and segmentation on drawn shapes; workers are threads."""

from __future__ import annotations

import importlib.util
import sys
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

ROOT = Path(__file__).parents[4]
_RECIPE = {"epochs": 2, "batch_size": 4, "lr": 0.01, "warm_up_steps": 0, "image_size": 64}
_COMMON: Mapping[str, Any] = {
    "title": "Drawn",
    "question": "Does it run?",
    "axes": {"variant": ["plain", "se:reduction=4"]},
    "seeds": 2,
    "margin": 1,
}
_DATA = {"data": "shapes", "train": "train", "test": "test"}
DETECTION: Mapping[str, Any] = {
    **_COMMON,
    "experiment": {
        "kind": "detection",
        **_DATA,
        "recipe": {**_RECIPE, "channels": 8, "samples": 16, "proposals": 20},
    },
    "baseline": {"detector": "faster-rcnn", "backbone": "resnet18", "variant": "se:reduction=4"},
}
SEGMENTATION: Mapping[str, Any] = {
    **_COMMON,
    "experiment": {"kind": "segmentation", **_DATA, "recipe": {**_RECIPE, "output_stride": 32}},
    "baseline": {"segmenter": "fcn", "backbone": "resnet18", "variant": "se:reduction=4"},
}


def _script() -> Any:
    spec = importlib.util.spec_from_file_location(
        "draw_shapes", ROOT / "docs/examples/detection/draw_shapes.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_shapes"] = module
    spec.loader.exec_module(module)
    return module


draw = _script().draw


def changed(study: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a study with other fields; `experiment__recipe__lr` is a field of a field of a field."""
    found = yaml.safe_load(yaml.safe_dump(dict(study)))
    for name, value in changes.items():
        *outer, inner = name.split("__")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(inner, None)
        else:
            place[inner] = value
    return dict(found)


class DrawnHome:
    """A folder with studies, their data, results and reports."""

    def __init__(self, folder: Path, shapes: Path, name: str = "") -> None:
        self.folder, self.name = folder, name
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        if not (self.data / "shapes").exists():
            (self.data / "shapes").symlink_to(shapes)

    def write(self, name: str, study: Mapping[str, Any]) -> Path:
        """Write the file of a study."""
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(dict(study)), encoding="utf-8")
        return path

    def design(self, name: str) -> Design:
        """Return a study, unfolded."""
        return design(load_study(str(self.folder / f"{name}.yaml")))

    def check(self, name: str) -> None:
        """Check a study and its data, as before a run."""
        found = self.design(name)
        found.study.experiment.check(found)
        runner_of(found.study).prepare(found, self.data, print)

    def paths(self, name: str) -> StudyPaths:
        """Return where a study's files are."""
        return StudyPaths(name, self.folder / "results", self.folder / "reports")

    def run(self, name: str) -> StudyRecord:
        """Run a study, and return its record."""
        study = self.design(name)
        inputs = runner_of(study.study).prepare(study, self.data, print)
        settings = Settings(data_dir=self.data, inputs=inputs)
        with ThreadPoolExecutor(1, initializer=partial(torch.set_num_threads, 1)) as threads:
            done = sweep(study, self.paths(name), settings, make_executor=lambda: threads, display=SILENT)
        return done.record

    def results(self, name: str) -> Results:
        """Return what a study has measured."""
        return Results(self.design(name), self.paths(name).open_record())
