"""Images that were changed after they had been prepared are said in one line, and nothing is trained on old ones."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ablations.running.record.trial_file import FILE_NAME

RUN = ("run", "own.yaml", "--no-tracking", "--workers", "1", "--quiet", "--no-report")


def test_a_run_is_refused_and_the_doctor_knows(ablate: Callable[..., Any], project: Path) -> None:
    prepare = ("data", "prepare", "image-folder", "--path", "pics", "--size", "8")
    assert ablate(*prepare).status == 0
    assert "verified against its source" in ablate("doctor", "own.yaml", "--no-tracking").out
    for path in project.glob("pics/*/*/*.png"):
        Image.new("RGB", (8, 8), (1, 2, 3)).save(path)
    said = ablate(*RUN)
    assert (said.status, len(said.err.splitlines())) == (2, 1), said.err
    assert f"{project / 'pics'} was changed since it was prepared" in said.err
    assert not Path("results/own", FILE_NAME).exists()
    plan = " ".join(ablate("plan", "own.yaml").out.split())
    assert "since then its source was changed" in plan
    doctor = ablate("doctor", "own.yaml", "--no-tracking")
    assert "refuses them" in doctor.out
    assert doctor.status == 1
    os.chdir("/")
    command = shlex.split(said.err.partition("`")[2].partition("`")[0])
    again = ablate(*command[1:])
    assert (again.status, "the images are others than before" in again.out) == (0, True), again.err
    assert "the images are the same as before" in ablate(*command[1:]).out


@pytest.mark.slow
def test_a_record_of_the_old_images_is_not_mixed(ablate: Callable[..., Any], project: Path) -> None:
    assert ablate(*RUN).status == 0
    record = Path("results/own", FILE_NAME)
    before = record.read_bytes()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(project / "pics/train/cat/0.png")
    assert ablate(*RUN).status == 2
    assert ablate("data", "prepare", "image-folder", "--path", "pics", "--size", "8", "--refresh").status == 0
    said = ablate(*RUN)
    assert (said.status, "was recorded with other data" in said.err) == (2, True)
    assert record.read_bytes() == before
