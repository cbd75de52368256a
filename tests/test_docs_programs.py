"""docs/for-programs.md does what it says: its script runs, and fails a build where it should."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "for-programs.md").read_text(encoding="utf-8")


def run(script: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "check.py").write_text(script, encoding="utf-8")
    places = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "check.py", *words]
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_script_says_what_the_page_says_and_fails_where_a_verdict_is_another(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "first-epoch", tmp_path / "results" / "first-epoch")
    [script] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len([line for line in script.splitlines() if line]) <= 11
    [command, first] = re.findall(r"```text\n\$ python check.py (.*?)\n(.*?)\n", PAGE)[0]
    words = command.split()
    done = run(script, tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == first
    other = run(script.replace("SE-PRE: not worse", "SE-POST: not worse"), tmp_path, *words)
    assert (other.returncode, other.stdout) == (3, done.stdout)
    assert other.stderr == "SE-POST: expected not worse, found undetermined, n = 6\n"
    assert run(script.replace("SE-PRE: not worse", "SE-PR: not worse"), tmp_path, *words).returncode == 2
