"""The whole block of docs/writing-a-plugin.md: its commands run, and the report has it in a row beside SE and CBAM."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs/examples/block"
SECTION = (ROOT / "docs/writing-a-plugin.md").read_text(encoding="utf-8")
SECTION = SECTION.partition("## A whole block\n")[2].partition("\n## ")[0]


def shown(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", SECTION, flags=re.DOTALL)
    return str(found)


def run(line: str, place: Path) -> str:
    program, *words = shlex.split(line, comments=True)
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
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_commands_lead_from_the_file_to_a_row_beside_the_other_blocks(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "block")
    printed = {shlex.split(line)[1]: run(line, tmp_path) for line in shown("sh").splitlines()}
    assert "contracts kept, 0 broken" in printed["check-plugin"]
    assert {"cbam", "joint-cbam"} <= set(re.split(r"[\s=]+", printed["plan"]))
    table = (
        (tmp_path / "reports/blocks/report.md").read_text(encoding="utf-8").partition("## Axis: block\n")[2]
    )
    rows = re.findall(r"^\| ([^|]+) \|", table.partition("\n\n<details>")[0], flags=re.MULTILINE)
    assert [row for row in rows if row[0] not in ":"] == [
        "variant", "plain", "**SE r=4**", "CBAM r=4", "joint-cbam r=4",
    ]  # fmt: skip


def test_the_page_shows_the_example() -> None:
    assert (EXAMPLE / "joint.py").read_text(encoding="utf-8").endswith(f"\n\n{shown('python')}")
    study = yaml.safe_load((EXAMPLE / "blocks.yaml").read_text(encoding="utf-8"))
    assert {**study, **yaml.safe_load(shown("yaml"))} == study
