"""One small study for each kind of experiment, with the same knobs: a wait, a row that fails, one that hangs, a NaN."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
KINDS = ("classification", "command", "function")

PROGRAM = """
import argparse, json, os, pathlib, random, sys, time
parser = argparse.ArgumentParser()
for name in ("rate", "way", "seed", "output"):
    parser.add_argument("--" + name)
given = parser.parse_args()
folder = pathlib.Path(given.output)
if given.way == "fails":
    sys.exit("no such way")
if given.way == "hangs":
    time.sleep(600)
state = folder / "state.json"
done = json.loads(state.read_text()) if state.exists() else {"steps": 0, "total": 0.0}
for step in range(done["steps"], 8):
    time.sleep(float(os.environ.get("TEST_STEP_SECONDS", "0.01")))
    draws = random.Random(f"{given.seed}/{step}")
    done = {"steps": step + 1, "total": done["total"] + draws.random() * float(given.rate)}
    draft = folder / "state.draft"
    draft.write_text(json.dumps(done))
    draft.replace(state)
score = float("nan") if given.way == "nan" else done["total"]
print("score", score)
(folder / "metrics.json").write_text(json.dumps({"score": score}))
"""

MODULE = """
import json, os, time
import ablations as ab

def train(trial, context):
    rate, way = trial.values["rate"], trial.values["way"]
    if way == "fails":
        raise ValueError("no such way")
    saved = context.checkpoint.newest()
    done = json.loads(saved) if saved else {"steps": 0, "total": 0.0}
    end = time.monotonic() + (600 if way == "hangs" else 0)
    while time.monotonic() < end:
        time.sleep(0.05)
        if context.should_stop():
            raise ab.Stopped
    for step in range(done["steps"], 8):
        time.sleep(float(os.environ.get("TEST_STEP_SECONDS", "0.01")))
        done = {"steps": step + 1, "total": done["total"] + context.rng(f"step {step}").random() * rate}
        context.checkpoint.save(json.dumps(done).encode())
        context.report(step + 1, score=done["total"])
        if context.should_stop():
            raise ab.Stopped
    return {"score": float("nan") if way == "nan" else done["total"]}
"""

PLUGIN = """
import time
import torch
from senet_core.blocks.slots import register_squeeze

@register_squeeze("fails")
def fails():
    raise ValueError("no such way")
"""

_FACTORS: Mapping[str, Any] = {
    "title": "Small",
    "question": "Does it run?",
    "baseline": {"rate": 1.0, "way": "usual"},
    "margin": 0.1,
    "seeds": 3,
}
_NETWORKS: Mapping[str, Any] = {
    "title": "Small",
    "question": "Does it run?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 160, "test_images": 40},
    },
    "recipe": {
        "base": "cifar-quick",
        "epochs": 2,
        "batch_size": 16,
        "lr": 0.05,
        "pad": 1,
        "precision": "fp32",
    },
    "include_plain": False,
    "seeds": 3,
}


@dataclass(frozen=True)
class Kind:
    """One kind of experiment in a folder of its own.

    Attributes:
        name: of the kind.
        folder: with the study's file, and the code of its trials.
        axes: two rows beside the baseline that differ from it and from each other.
        diverging: an axis with a value of which no number comes.
        metric: in the results.
    """

    name: str
    folder: Path
    axes: Mapping[str, list[Any]]
    diverging: Mapping[str, list[Any]]
    metric: str

    def write(self, axes: Mapping[str, list[Any]] | None = None, name: str = "own", **fields: Any) -> Path:
        """Write a study file, and return its path."""
        if self.name == "classification":
            content: dict[str, Any] = dict(_NETWORKS)
        else:
            experiment: dict[str, Any] = {"metrics": {"score": "maximise"}}
            if self.name == "command":
                arguments = ["--rate", "{rate}", "--way", "{way}", "--seed", "{seed}", "--output", "{folder}"]
                experiment |= {"command": ["{python}", "program.py", *arguments], "grace": 1}
            else:
                experiment |= {"call": "module:train"}
            content = {**_FACTORS, "experiment": experiment}
        path = self.folder / f"{name}.yaml"
        path.write_text(
            yaml.safe_dump({**content, "axes": dict(axes or self.axes), **fields}), encoding="utf-8"
        )
        return path

    def start(
        self, *words: str, step_seconds: float = 0.01, most_bytes: int | None = None
    ) -> subprocess.Popen[str]:
        """Start `ablate` in the folder; no file that it writes may grow beyond `most_bytes`."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.folder)]),
            "TEST_STEP_SECONDS": str(step_seconds),
            "PYTHONDONTWRITEBYTECODE": "1",  # a limited process would leave half of one
        }
        return subprocess.Popen(
            [sys.executable, "-m", "ablations", *words],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=None if most_bytes is None else lambda: _limit(most_bytes),
        )

    def run(self, *words: str, **limits: Any) -> tuple[int, str]:
        """Run `ablate`, and return its status and what it printed."""
        with self.start(*words, **limits) as process:
            printed, _ = process.communicate(timeout=300)
        return process.returncode, printed

    def lines(self, name: str = "own") -> list[dict[str, Any]]:
        """Return the record's lines."""
        path = self.folder / "results" / name / "trials.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def measured(self, name: str = "own") -> dict[str, float]:
        """Return the metric of every finished trial by key."""
        found = {}
        for line in self.lines(name):
            if line["status"] == "finished":
                result = line["result"]
                found[line["key"]] = result.get("metrics", result)[self.metric]
        return found


def _limit(most_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def make(name: str, folder: Path) -> Kind:
    """Return a kind in a folder, with its code."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "classification":
        return Kind(
            name,
            folder,
            {"squeeze": ["avg", "max"], "excitation": ["tanh"]},
            {"recipe.lr": [1e30]},
            "top1_error",
        )
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "module.py").write_text(MODULE, encoding="utf-8")
    return Kind(name, folder, {"rate": [1.0, 2.0, 3.0]}, {"way": ["usual", "nan"]}, "score")
