"""An order ends one process in the midst of writing one kind of file; who starts without an order is left alone."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

INHERITED = Path(__file__).parent / "inherited"
ROOT = Path(__file__).parents[2]


def run(folder: Path, program: str, kind: str = "", event: int = 1, share: float = 0.5) -> int:
    """Run a program in a folder under an order, if a kind is named; return its status."""
    order = folder / "order"
    environment = {**os.environ, "PYTHONPATH": f"{INHERITED}{os.pathsep}{ROOT}"}
    if kind:
        order.write_text(json.dumps({"kind": kind, "event": event, "share": share}))
        environment["CHAOS_MIDWAY"] = str(order)
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment).returncode


APPEND = """
from pathlib import Path
from ablations.running.machine.durable import append_durably
for number in range(3):
    append_durably(Path({name!r}), b"0123456789\\n")
"""
REPLACE = """
from pathlib import Path
from ablations.running.machine.durable import write_durably
for text in (b"old", b"new" * 1000):
    write_durably(Path("plan.json"), text)
"""


@pytest.mark.parametrize(
    ("kind", "name"),
    [("record line", "trials.jsonl"), ("interim analyses", "looks.jsonl"), ("proposals", "proposals.jsonl")],
)
def test_a_line_is_cut_off(tmp_path: Path, kind: str, name: str) -> None:
    assert run(tmp_path, APPEND.format(name=name), kind, event=3) == -signal.SIGKILL  # write, sync, write
    assert (tmp_path / name).read_bytes() == b"0123456789\n01234"
    assert len(list(tmp_path.glob("order.taken-by-*"))) == 1


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    assert run(tmp_path, APPEND.format(name="trials.jsonl.torn"), "record line") == 0
    assert run(tmp_path, APPEND.format(name="trials.jsonl")) == 0
    assert (tmp_path / "trials.jsonl").read_bytes() == b"0123456789\n" * 3


@pytest.mark.parametrize(("share", "content"), [(0.2, b"old"), (0.8, b"new" * 1000)])
def test_a_file_is_replaced_or_not(tmp_path: Path, share: float, content: bytes) -> None:
    assert run(tmp_path, REPLACE, "plan", event=6, share=share) == -signal.SIGKILL
    assert (tmp_path / "plan.json").read_bytes() == content


def test_a_draft_has_a_part_of_its_bytes(tmp_path: Path) -> None:
    assert run(tmp_path, REPLACE, "plan", event=4) == -signal.SIGKILL
    [draft] = tmp_path.glob(".plan.json.*.partial")
    assert draft.read_bytes() == b"new" * 500
    assert (tmp_path / "plan.json").read_bytes() == b"old"


TEXT = """
from pathlib import Path
Path("running").mkdir()
with Path("running/x.jsonl").open("w", encoding="utf-8") as file:
    for _ in range(3):
        file.write("0123456789\\n")
        file.flush()
"""


def test_a_text_is_cut_off(tmp_path: Path) -> None:
    assert run(tmp_path, TEXT, "progress", event=2, share=0.9) == -signal.SIGKILL
    assert (tmp_path / "running" / "x.jsonl").read_text() == "0123456789\n012345678"


SQLITE = """
import sqlite3
with sqlite3.connect("mlflow.db") as database:
    database.execute("create table x (y)")
    for y in range(3):
        database.execute("insert into x values (?)", (y,))
    database.commit()
"""


def test_a_transaction_is_cut_off(tmp_path: Path) -> None:
    assert run(tmp_path, SQLITE, "MLflow", event=3) == -signal.SIGKILL
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        assert database.execute("select * from x").fetchall() == []


SPAWN = """
import multiprocessing, pathlib
def work():
    pathlib.Path("checkpoints").mkdir(exist_ok=True)
    pathlib.Path("checkpoints/x").write_bytes(b"0123456789")
def main():
    statuses = []
    for _ in range(2):
        child = multiprocessing.get_context("spawn").Process(target=work)
        child.start()
        child.join()
        statuses.append(child.exitcode)
    pathlib.Path("statuses").write_text(str(statuses))
"""


def test_an_order_reaches_workers_and_ends_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "spawning.py").write_text(SPAWN)
    assert run(tmp_path, "import spawning; spawning.main()", "checkpoint") == 0
    assert (tmp_path / "statuses").read_text() == "[-9, 0]"
    assert (tmp_path / "checkpoints" / "x").read_bytes() == b"0123456789"
