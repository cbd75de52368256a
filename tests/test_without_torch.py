"""A study of a program needs neither PyTorch nor MLflow nor Optuna: it is planned, run and reported without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
ABSENT = ("torch", "torchvision", "mlflow", "optuna", "sklearn", "safetensors")
STUDY = {
    "title": "Own",
    "question": "Does it matter?",
    "experiment": {
        "command": ["{python}", "-c", "import sys; print('score', sys.argv[1])", "{lr}", "{seed}"],
        "metrics": {"score": "maximise"},
        "read": {"regex": "score ([0-9.]+)"},
    },
    "baseline": {"lr": 0.1},
    "axes": {"lr": [0.1, 0.2]},
    "seeds": 3,
    "margin": 0.01,
}


def test_a_study_of_a_program_needs_no_pytorch(tmp_path: Path) -> None:
    for name in ABSENT:
        package = tmp_path / "absent" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(
            f"raise ModuleNotFoundError('{name}', name='{name}')", encoding="utf-8"
        )
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "absent"), str(ROOT)])}
    for words in (
        ["-c", "import ablations; print(ablations.__version__)"],
        ["-m", "ablations", "plan", "own.yaml"],
        ["-m", "ablations", "run", "own.yaml", "--no-tracking"],
        ["-m", "ablations", "report", "own.yaml"],
        ["-m", "ablations", "status", "own.yaml"],
    ):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
    assert "6 of 6 trials finished" in (tmp_path / "reports/own/report.md").read_text(encoding="utf-8")
