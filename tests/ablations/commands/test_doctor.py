"""`ablate doctor`: says what is wrong, how to mend it, and ends with 1 while there is a problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _well_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with this machine is for others."""
    for name in ("check_packages", "check_devices", "check_disk"):
        monkeypatch.setattr(f"ablations.running.doctor.examination.{name}", lambda *_: ())


def test_an_empty_folder_is_well(ablate: Callable[..., Any]) -> None:
    said = ablate("doctor", "--no-tracking")
    assert (said.status, said.err) == (0, "")
    assert "no study has results in results" in said.out
    assert said.out.splitlines()[-1] == "0 problems, 0 warnings, 0 mended"


def test_a_problem_is_status_one_with_the_way_out(ablate: Callable[..., Any]) -> None:
    folder = Path("results/small")
    folder.mkdir()
    (folder / "trials.jsonl").write_bytes(b"{}\nhalf")
    said = ablate("doctor", "small.yaml", "--no-tracking")
    assert said.status == 1
    assert "line 1 is corrupt" in said.out
    assert "correct or remove that line" in said.out
    assert said.out.splitlines()[-1] == "1 problem, 1 warning, 0 mended; --fix mends what is safe to mend"
    found = json.loads(ablate("doctor", "small", "--no-tracking", "--json").out)  # a folder without its file
    assert {"level", "what", "how_to_mend", "mended"} == set(found[0])


def test_fix_mends_and_says_so(ablate: Callable[..., Any]) -> None:
    folder = Path("results/small")
    folder.mkdir()
    (folder / "trials.jsonl").write_bytes(b"half")
    said = ablate("doctor", "small.yaml", "--no-tracking", "--fix")
    assert said.status == 0
    assert "mended" in said.out
    assert (folder / "trials.jsonl").read_bytes() == b""
    assert (folder / "trials.jsonl.torn").read_bytes() == b"half\n"


def test_a_study_file_that_is_wrong_is_a_problem_among_others(ablate: Callable[..., Any]) -> None:
    Path("small.yaml").write_text("title: 3\n", encoding="utf-8")
    said = ablate("doctor", "small.yaml", "--no-tracking")
    assert (said.status, said.err) == (1, "")
    assert "problem  study 'small'" in said.out


def test_a_study_that_does_not_exist_is_bad_input(ablate: Callable[..., Any]) -> None:
    said = ablate("doctor", "smoek")
    assert said.status == 2
    assert said.err == said.err.splitlines()[0] + "\n"
    assert "did you mean 'smoke'?" in said.err
