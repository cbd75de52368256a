"""A script from a mapping to a report: silent, without a warning, and found again by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablations.cli import group, run_command

ROOT = Path(__file__).parents[3]
SCRIPT = """
import ablations as ab

STUDY = {
    "name": "small",
    "title": "Small",
    "question": "Does it work?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 80, "test_images": 40},
    },
    "recipe": {"base": "cifar-quick", "epochs": 1, "batch_size": 32, "pad": 1},
    "axes": {"squeeze": ["avg", "max"]},
    "include_plain": False,
    "seeds": 2,
}

if __name__ == "__main__":
    study = ab.load_study(STUDY)
    results = ab.run(study, workers=1)
    assert results.trials["status"].eq("finished").all()
    assert len(results.history) == 4
    assert list(results.compare()["variant"]) == ["SE max r=8"]
    results.plot("squeeze").savefig("squeeze.png")
    assert "4 of 4 trials finished" in results._repr_html_()
    assert ab.write_report(results, "reports").markdown.exists()
    again = ab.load_results(study)
    assert again.trials.equals(results.trials)
    assert ab.plan(study).left == 0
"""


def test_a_script_trains_and_reports_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"script.py", "data", "results", "reports", "squeeze.png"}

    written = tmp_path / "results" / "small" / "small.yaml"
    folders = [f"--{name}-dir={tmp_path / name}" for name in ("data", "results", "reports")]
    with pytest.raises(SystemExit) as ended:
        run_command(group, "ablate", ["run", str(written), "--no-tracking", *folders])
    assert ended.value.code == 0
    assert "4 trials, 4 recorded, nothing to train" in capsys.readouterr().out
    assert len((written.parent / "trials.jsonl").read_text(encoding="utf-8").splitlines()) == 4
