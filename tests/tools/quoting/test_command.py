"""`make paper`: documents, reports and pictures are as results/ give them, or it says where they are not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tools.quoting.command import command

if TYPE_CHECKING:
    from tests.conftest import Said

ROOT = Path(__file__).parents[3]
README = "# Paper\n\nOver <!--from a-a: trials-->70<!--end--> trials: ±, 日本.\n"


@pytest.fixture
def paper(ablate: Callable[..., Said], tmp_path: Path) -> Callable[..., Said]:
    """Call `make paper` in a clone with one study, its report and a document."""
    for name in ("results/a-a", "reports/a-a"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
    (tmp_path / "docs/images").mkdir(parents=True)
    Path("README.md").write_text(README, encoding="utf-8")
    return lambda *words: ablate(*words, command=command, program="paper")


def change(file: str, old: str, new: str) -> None:
    path = Path(file)
    content = path.read_bytes().decode()
    assert old in content
    path.write_bytes(content.replace(old, new, 1).encode())


def test_what_is_as_results_give_it_passes(paper: Callable[..., Said]) -> None:
    said = paper("--check")
    assert (said.status, said.err) == (0, "")
    assert "report of a-a" in said.out


def test_a_changed_number_is_found_with_file_and_line(paper: Callable[..., Said]) -> None:
    change("README.md", "70", "71")
    said = paper("--check")
    assert said.status == 1
    assert "README.md:3: committed '71', regenerated '70'" in said.out
    assert "71" in Path("README.md").read_text(encoding="utf-8")  # a check writes nothing


def test_writing_puts_it_right_and_changes_nothing_else(paper: Callable[..., Said]) -> None:
    change("README.md", "70", "71")
    change("README.md", "\n", "\r\n")
    said = paper()
    assert (said.status, said.out) == (0, "written: README.md\n")
    assert Path("README.md").read_bytes().decode() == README.replace("\n", "\r\n", 1)
    assert paper().out == ""


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("reports/a-a/report.md", "3.68 % ± 0.34", "3.58 % ± 0.34"),
        ("reports/a-a/report.html", "+1.13", "+1.03"),
        ("reports/a-a/tables/repeat.csv", "0.473286", "0.473287"),
        ("reports/a-a/figures/axis-repeat.svg", "sha256:", "sha256:0"),
    ],
)
def test_a_changed_report_is_found(paper: Callable[..., Said], file: str, old: str, new: str) -> None:
    change(file, old, new)
    said = paper("--check")
    assert said.status == 1
    assert f"{file}:" in said.out


def test_a_changed_report_is_written_anew(paper: Callable[..., Said]) -> None:
    before = Path("reports/a-a/report.md").read_bytes()
    change("reports/a-a/report.md", "3.68 % ± 0.34", "3.58 % ± 0.34")
    assert paper().out == "written: reports/a-a\n"
    assert Path("reports/a-a/report.md").read_bytes() == before
    assert paper().out == ""


def test_a_file_too_many_or_too_few_is_found(paper: Callable[..., Said]) -> None:
    Path("reports/a-a/tables/trials.csv").unlink()
    Path("reports/a-a/report.tex").write_text("old", encoding="utf-8")
    said = paper("--check")
    assert "reports/a-a/tables/trials.csv: committed nothing, regenerated 'a file'" in said.out
    assert "reports/a-a/report.tex: committed 'a file', regenerated nothing" in said.out
    paper()
    assert not Path("reports/a-a/report.tex").exists()
    assert paper("--check").status == 0


def test_a_changed_record_changes_what_is_quoted_and_plotted(paper: Callable[..., Said]) -> None:
    shutil.copy("reports/a-a/figures/axis-repeat.png", "docs/images/first.png")
    change("results/a-a/trials.jsonl", '"top1_error":3.8', '"top1_error":3.9')
    said = paper("--check")
    assert said.status == 1
    for file in ("report.md:", "report.html:", "tables/trials.csv:", "figures/axis-repeat.png:"):
        assert f"reports/a-a/{file}" in said.out
    assert "docs/images/first.png: committed" in said.out
    assert paper().status == 0
    assert paper("--check").status == 0
    assert (
        Path("docs/images/first.png").read_bytes() == Path("reports/a-a/figures/axis-repeat.png").read_bytes()
    )


def test_pictures_that_nothing_confirms_are_named_and_no_failure(paper: Callable[..., Said]) -> None:
    Image.new("RGB", (2, 2)).save("docs/images/photo.png")
    told = PngInfo()
    told.add_text("Description", f"quickstart/axis-squeeze sha256:{'0' * 32}")
    Image.new("RGB", (2, 2)).save("docs/images/quick.png", pnginfo=told)
    said = paper("--check")
    assert said.status == 0
    assert "docs/images/photo.png: not from committed results: it does not say what it shows" in said.out
    assert "docs/images/quick.png: not from committed results: it shows quickstart/axis-squeeze" in said.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a\n\nOf <!--from a-b: trials-->1<!--end-->",
            "README.md:3: unknown source in results/ 'a-b'; did you mean",
        ),
        (
            "a <!--from a-a: trails-->1<!--end-->",
            "README.md:1: unknown fact of a-a 'trails'; did you mean 'trials'?",
        ),
        ("a <!--from a-a: trials-->1", "README.md:1: this mark is never ended"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--check",)])
def test_a_wrong_mark_ends_with_2_and_writes_nothing(
    paper: Callable[..., Said], text: str, said: str, words: tuple[str, ...]
) -> None:
    Path("README.md").write_text(text, encoding="utf-8")
    Path("docs/a.md").write_text("See <!--from a-a: trials-->0<!--end-->.", encoding="utf-8")
    ended = paper(*words)
    assert ended.status == 2
    assert ended.err.startswith(f"paper: {said}")
    assert ended.err.count("\n") == 1
    assert "-->0<!--" in Path("docs/a.md").read_text(encoding="utf-8")


def test_one_file_is_checked_alone(paper: Callable[..., Said]) -> None:
    change("reports/a-a/report.md", "3.68 % ± 0.34", "3.58 % ± 0.34")
    assert paper("--check", "README.md").status == 0
    assert paper("--check", "absent.md").status == 2


def test_records_that_git_ignores_are_not_quoted(paper: Callable[..., Said]) -> None:
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".gitignore").write_text("results/a-a/\n", encoding="utf-8")
    said = paper("--check")
    assert said.status == 2
    assert "README.md:3: unknown source in results/ 'a-a'" in said.err


def test_a_report_that_git_does_not_hold_is_nobodys_business(paper: Callable[..., Said]) -> None:
    subprocess.run(["git", "init", "-q", "."], check=True)
    change("reports/a-a/report.md", "3.68 % ± 0.34", "3.58 % ± 0.34")
    assert "report of a-a" not in paper("--check").out
    subprocess.run(["git", "add", "reports"], check=True)
    assert paper("--check").status == 1


def test_a_damaged_request_is_said_in_one_line(paper: Callable[..., Said]) -> None:
    Path("reports/a-a/request.json").write_text(json.dumps({"typed": []}), encoding="utf-8")
    said = paper("--check")
    assert said.status == 2
    assert "request.json" in said.err


@pytest.mark.slow
def test_place_time_zone_and_locale_do_not_matter(paper: Callable[..., Said], tmp_path: Path) -> None:
    """A subprocess, because each is read when a process starts."""
    elsewhere = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "3", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **elsewhere, "PYTHONPATH": str(ROOT)}
    code = "import tools.quoting.__main__"
    command = [sys.executable, "-c", code, "--check", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
