"""`ablate run --executor ray`: on a cluster by its address, on a Ray of its own, and refused in a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))  # where `ray_clusters` is

from ray_clusters import SmallCluster, small_cluster

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 300.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[SmallCluster]:
    with small_cluster() as cluster:
        yield cluster


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as its user has it: Ray leaves much behind in a process."""
    code = "from ablations.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.run(
        [sys.executable, "-c", code, "run", "small.yaml", "--no-tracking", "--executor", "ray", *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def _lines(folder: Path) -> list[dict[str, Any]]:
    record = folder / "results" / "small" / "trials.jsonl"
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def _measured(line: dict[str, Any]) -> tuple[str, str]:
    return line["key"], line["result"]["weights_sha256"]


@pytest.fixture
def folder(ablate: Callable[..., Any], tmp_path: Path) -> Path:
    """A folder with a study in it."""
    return tmp_path


def test_a_sweep_on_a_cluster_has_the_record_of_the_pool(
    cluster: SmallCluster, folder: Path, ablate: Callable[..., Any]
) -> None:
    said = _run(folder, "--ray-address", cluster.address)
    assert said.returncode == 0, said.stderr
    assert "6 trials, 6 to train" in said.stdout
    on_ray = _lines(folder)
    (folder / "results" / "small" / "trials.jsonl").unlink()
    assert ablate("run", "small.yaml", "--no-tracking").status == 0
    assert sorted(map(_measured, on_ray)) == sorted(map(_measured, _lines(folder)))


def test_a_ray_of_the_sweeps_own_ends_with_it(folder: Path) -> None:
    said = _run(folder)
    assert said.returncode == 0, said.stderr
    assert {line["status"] for line in _lines(folder)} == {"finished"}
    again = _run(folder)
    assert "6 recorded, nothing to train" in again.stdout


def test_a_gpu_that_no_node_has_is_refused_before_anything_starts(
    cluster: SmallCluster, folder: Path
) -> None:
    started = time.monotonic()
    said = _run(folder, "--ray-address", cluster.address, "--gpus-per-trial", "1")
    assert time.monotonic() - started < 60  # Ray itself would wait for ever
    assert said.returncode == 2
    assert said.stderr.startswith(
        "ablate: a trial asks for 1 CPU and 1 GPU, and no node of the Ray cluster has that ("
    )
    assert said.stderr.count("\n") == 1
    assert not _lines(folder)


def test_an_address_at_which_nobody_is_is_refused(folder: Path) -> None:
    said = _run(folder, "--ray-address", "127.0.0.1:1")
    assert said.returncode == 2
    assert said.stderr.startswith("ablate: nobody answers at the Ray address 127.0.0.1:1: ")
    assert said.stderr.count("\n") == 1
