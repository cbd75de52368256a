"""docs/your-own-training.md: its commands run, its example files are what it says, and no report speaks of networks."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/your-own-training.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
OURS = re.compile(r"\bSE\b|squeeze|top-1|excitation|network", re.IGNORECASE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(ROOT / "docs/examples", folder, dirs_exist_ok=True)
    return folder


def _run(command: str, place: Path) -> str:
    program, *words = shlex.split(command)
    assert program == "ablate"
    done = subprocess.run(
        [sys.executable, "-m", "ablations", *words, *(["--no-tracking"] if words[0] == "run" else [])],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_of_the_page_works_and_its_reports_speak_of_nothing_else(place: Path) -> None:
    assert len(COMMANDS) >= 6
    printed = {command: _run(command, place) for command in COMMANDS}
    for name in ("digits", "forests"):
        report = (place / "reports" / name / "report.md").read_text(encoding="utf-8")
        assert "trials finished" in report
        assert OURS.findall(report) == [], OURS.findall(report)
    assert "better" in "".join(printed.values()) or "undetermined" in "".join(printed.values())


def test_the_study_file_on_the_page_is_that_of_the_example() -> None:
    [shown] = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    content: dict[str, Any] = yaml.safe_load(
        (ROOT / "docs/examples/script/digits.yaml").read_text(encoding="utf-8")
    )
    assert {**content, **yaml.safe_load(shown)} == content


def test_the_example_in_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(import ablations.*?)```", PAGE, flags=re.DOTALL)
    script = tmp_path / "script.py"
    script.write_text(f"{code}\nprint(results.compare()['verdict'].tolist())\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("[")
