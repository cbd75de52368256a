"""A sweep runs in whatever executor the user names, and a name that is none is one clear line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = """
import multiprocessing
import pathlib
from concurrent.futures import ProcessPoolExecutor

number = 3


def make(workers):
    pathlib.Path("opened").write_text(f"{workers}\\n")
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def nothing(workers):
    return None


def broken(workers):
    raise OSError("no cluster")
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "my_cluster.py").write_text(MODULE, encoding="utf-8")
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop("my_cluster", None)


def test_a_sweep_runs_in_the_users_executor(ablate: Callable[..., Any], tmp_path: Path) -> None:
    said = ablate("run", "small.yaml", "--executor", "my_cluster:make", "--workers", "1", "--no-tracking")
    assert said.status == 0, said.err
    assert (tmp_path / "opened").read_text() == "1\n"
    lines = (tmp_path / "results" / "small" / "trials.jsonl").read_text().splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"finished"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("my_cluster", "--executor takes PACKAGE.MODULE:FACTORY"),
        ("my_cluster:", "--executor takes PACKAGE.MODULE:FACTORY"),
        ("../my_cluster:make", "--executor takes PACKAGE.MODULE:FACTORY"),
        ("no_such_module:make", "no_such_module cannot be imported"),
        ("my_cluster:mike", "mike has no such name in my_cluster"),
        ("my_cluster:number", "number cannot be called in my_cluster"),
        ("my_cluster:nothing", "nothing(1) returned None, which is no executor"),
        ("my_cluster:broken", "broken(1) failed: OSError('no cluster')"),
    ],
)
def test_what_is_no_executor_is_one_clear_line(
    ablate: Callable[..., Any], tmp_path: Path, spec: str, message: str
) -> None:
    said = ablate("run", "small.yaml", "--executor", spec, "--workers", "1", "--no-tracking")
    assert said.status == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "results" / "small" / "trials.jsonl").exists()


FAILING = """
import multiprocessing
import pathlib
from concurrent.futures import Future, ProcessPoolExecutor


class Failing(ProcessPoolExecutor):
    def submit(self, fn, /, *args, **kwargs):
        tested = args[0].trial["data"].get("validation_images") is None
        if not tested or pathlib.Path("failed").exists():
            return super().submit(fn, *args, **kwargs)
        pathlib.Path("failed").touch()
        future = Future()
        future.set_exception(RuntimeError("no memory"))
        return future


def make(workers):
    return Failing(1, mp_context=multiprocessing.get_context("spawn"))
"""


def test_a_winner_whose_trial_failed_is_tried_again_by_the_same_command(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "my_cluster.py").write_text(FAILING, encoding="utf-8")
    study = (tmp_path / "small.yaml").read_text().replace("seeds: 2\n", "")
    search = "design: search\nsearch: {trials: 2, validation_images: 40, winners: 1}\nconfirm: 2\n"
    (tmp_path / "small.yaml").write_text(study + search, encoding="utf-8")
    words = ("run", "small.yaml", "--executor", "my_cluster:make", "--workers", "1", "--no-tracking")

    first, again = ablate(*words), ablate(*words)

    assert (first.status, again.status) == (1, 0), again.err
    assert "failed (killed): no memory" in first.out
    record = tmp_path / "results" / "small" / "trials.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    tested = [line for line in lines if line["trial"]["data"].get("validation_images") is None]
    failed = [line for line in tested if line["status"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["key"] in {line["key"] for line in tested if line["status"] == "finished"}
