"""Trials of a folder of images are trained once, however its path is typed and wherever the project is moved."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ablations as ab
from ablations.running.record.trial_file import FILE_NAME
from tests.ablations.commands.conftest import FIELDS

Ablate = Callable[..., Any]


def trained(folder: Path, name: str = "own") -> int:
    return len((folder / "results" / name / FILE_NAME).read_bytes().splitlines())


def places(folder: Path) -> tuple[str, ...]:
    return tuple(f"--{name}-dir={folder / name}" for name in ("results", "reports", "data"))


RUN = ("--no-tracking", "--workers", "1", "--quiet", "--no-report")


@pytest.mark.slow
def test_a_project_is_trained_once(ablate: Ablate, project: Path, tmp_path: Path) -> None:
    said = ablate("run", "own.yaml", *RUN)
    assert (said.status, trained(project)) == (0, 1), said.err
    line = json.loads((project / "results/own" / FILE_NAME).read_text())
    assert line["trial"]["data"]["path"] == "pics"
    assert str(tmp_path) not in json.dumps(line["trial"])

    os.chdir(tmp_path / "elsewhere")
    for path in ("../proj/pics", str(project / "pics"), "../proj/pics/./"):
        again = ("--set", f"baseline.data.path={path}")
        assert ablate("run", str(project / "own.yaml"), *again, *RUN, *places(project)).status == 0
        status = ablate("status", str(project / "own.yaml"), *again, *places(project)[:2], "--json")
        assert (json.loads(status.out)["finished"], trained(project)) == (1, 1)
    of_results = places(project)[0]
    for command in (("reproduce", str(project / "own.yaml"), line["key"]), ("reproduce", "own", line["key"])):
        said = ablate(*command, of_results, places(project)[2])
        assert "bit-identical" in said.out, said.err
    doctor = ablate("doctor", str(project / "own.yaml"), of_results, places(project)[2], "--no-tracking")
    assert "6 training and 6 test images" in doctor.out

    moved = tmp_path / "moved"
    shutil.move(project, moved)
    status = ablate("status", str(moved / "own.yaml"), *places(moved)[:2], "--json")
    assert json.loads(status.out)["finished"] == 1
    said = ablate("reproduce", str(moved / "own.yaml"), line["key"], places(moved)[0], places(moved)[2])
    assert "bit-identical" in said.out, said.err
    assert ablate("run", str(moved / "own.yaml"), *RUN, *places(moved)).status == 0
    assert trained(moved) == 1


@pytest.mark.slow
def test_a_study_from_python_is_trained_once(project: Path, tmp_path: Path, ablate: Ablate) -> None:
    study = {"name": "own", **FIELDS}
    results = ab.run(study, workers=1)
    key = results.design.trials[0].key
    os.chdir(tmp_path / "elsewhere")
    baseline = {**FIELDS["baseline"], "data": {**FIELDS["baseline"]["data"], "path": str(project / "pics")}}
    options = ab.RunOptions(data_dir=project / "data")
    absolute = ab.run(
        {**study, "baseline": baseline}, results_dir=project / "results", options=options, workers=1
    )
    assert [trial.key for trial in absolute.design.trials] == [key]
    assert trained(project) == 1
    for asked in ("own", str(project / "own.yaml"), str(project / "results/own/own.yaml")):
        status = ablate("status", asked, *places(project)[:2], "--json")
        assert json.loads(status.out)["finished"] == 1, asked
    moved = tmp_path / "moved"
    shutil.move(project, moved)
    for asked in ("own", str(moved / "own.yaml"), str(moved / "results/own/own.yaml")):
        status = ablate("status", asked, *places(moved)[:2], "--json")
        assert status.status == 0, status.err
        assert json.loads(status.out)["finished"] == 1, asked
    os.chdir(moved)
    assert [trial.key for trial in ab.run(study, workers=1).design.trials] == [key]
    assert trained(moved) == 1
