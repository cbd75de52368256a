"""What is on the disk while trials run, and trained weights."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from ablations.commands.shared.console import make_console
from ablations.experiments.classification.kind import TOP1
from ablations.planning.design import design
from ablations.planning.study_file import load_study
from ablations.running.doctor.leftovers import check_leases, check_running
from ablations.running.machine import holder as holders
from ablations.running.machine.holder import Holder
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import EpochMetrics, TrialRecord
from ablations.running.sweep.display import SweepDisplay
from ablations.running.sweep.endings import line_of, outcome_of_the_dead
from ablations.running.sweep.values import Running
from ablations.running.training.checkpoint import MAGIC, Checkpoints
from ablations.running.trials.progress import Progress
from senet_core import SEVariant, build_model
from senet_core.weights import load_weights

KEY = "0123456789abcdef"
CONTEXT = {"commit": "x", "threads": 1}
ROW = design(load_study("smoke")).rows[0]
NETWORK = build_model("resnet8", SEVariant(reduction=8), num_classes=10)


def progress(here: Path) -> Sequence[bytes]:
    epoch = {
        "epoch": 1,
        "train_loss": 1.5,
        "train_error": 50.0,
        "lr": 0.1,
        "seconds": 1.0,
        "validation_error": None,
    }
    lines = [
        {"process": _dead().to_text(), "attempt": 1, "environment": {"host": "elsewhere", "cores": 2}},
        {"steps": [3, 10]},
        {"epoch": epoch},
    ]
    whole = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (here / "valid").write_bytes(whole)
    valid = Progress(here / "valid")
    assert valid.read() == [EpochMetrics(**epoch)]
    assert (valid.done, valid.total) == (3, 10)
    assert valid.process == _dead()
    return [whole]


def read_progress(here: Path, data: bytes, number: int) -> None:
    """Read it as a sweep does: shown while the trial runs, and in the record where its process has died."""
    paths = StudyPaths("s", here, here)
    paths.running.mkdir(parents=True, exist_ok=True)
    path = paths.running / f"{KEY}.jsonl"
    path.write_bytes(data)
    found, trial = Progress(path), ROW.trial(0)
    display = SweepDisplay("s", make_console(), metric=TOP1)
    with display, nobody_is_killed():
        for more in (b"", data[: len(data) // 2] + b"\n"):
            with path.open("ab") as file:
                file.write(more)
            found.read()
            display.update([Running(trial, ROW, found)])
            found.kill_process()
        line = line_of("s", trial, outcome_of_the_dead(found, RuntimeError("it died"), hung_seconds=None))
        display.finished(ROW, TrialRecord.from_line(line.to_line()))
    list(check_running(paths, frozenset(), fix=number % 2 == 0))


@contextmanager
def nobody_is_killed() -> Iterator[None]:
    """Fail where a file makes this process kill another: those that it may name are dead."""
    kill = os.kill

    def refuse(pid: int, number: int) -> None:
        assert number == 0, f"process {pid} would have been killed"
        kill(pid, number)

    os.kill = refuse
    try:
        yield
    finally:
        os.kill = kill


def _dead() -> Holder:
    """Return a holder that lived here, as whoever reads it can see."""
    return replace(Holder.this_process(), pid=holders.MOST_PID, start=1, token="0" * 32)


def leases(here: Path) -> Sequence[bytes]:
    far = replace(Holder.this_process(), host="elsewhere", token="1" * 32)
    return [holder.to_text().encode() for holder in (Holder.this_process(), _dead(), far)]


def read_lease(here: Path, data: bytes, number: int) -> None:
    """Read it as sweeps and the doctor do: as a lease, as a draft of one, and as what asks a sweep to stop."""
    paths = StudyPaths("s", here, here)
    for name in (f"leases/{KEY}.json", f"leases/.{KEY}.0.new", "running/stop.0"):
        (paths.results / name).parent.mkdir(parents=True, exist_ok=True)
        (paths.results / name).write_bytes(data)
    with nobody_is_killed():
        held = list(check_leases(paths, fix=False))
        assert all(str(finding) for finding in held)
        list(check_running(paths, frozenset([KEY]), fix=False))
        for leases in (Leases(paths.leases), Leases(paths.leases, stale_seconds=0)):
            leases.refresh()
            leases.is_stale(KEY)
            leases.is_free(KEY)
            leases.clear_dead()
            if leases.take(KEY):
                assert leases.holds(KEY)
                assert not Leases(paths.leases).take(KEY) or not leases.holds(KEY)
            leases.release_all()


def checkpoints(here: Path) -> Sequence[bytes]:
    made = Checkpoints(here / "made", CONTEXT)
    made.save(3, {"model": NETWORK.state_dict(), "epoch": 1})
    [path] = (here / "made").iterdir()
    return [path.read_bytes(), path.read_bytes().split(b"\n", 2)[2]]


def read_checkpoint(here: Path, data: bytes, number: int) -> None:
    logging.getLogger("ablations").disabled = True
    folder = here / "changed"
    folder.mkdir(exist_ok=True)
    if not data.startswith(MAGIC):  # a stranger computes the right checksum
        data = MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data
    (folder / f"{5:012d}.pt").write_bytes(data)
    Checkpoints(folder, CONTEXT).newest()


def weights(here: Path) -> Sequence[bytes]:
    buffers = [io.BytesIO(), io.BytesIO()]
    torch.save(NETWORK.state_dict(), buffers[0])
    torch.save(NETWORK.state_dict(), buffers[1], _use_new_zipfile_serialization=False)
    return [buffer.getvalue() for buffer in buffers]


def read_weights(here: Path, data: bytes, number: int) -> None:
    (here / "a.pth").write_bytes(data)
    load_weights(NETWORK, here / "a.pth", backbone="resnet8")


def safetensors(here: Path) -> Sequence[bytes]:
    return [save(NETWORK.state_dict(), metadata={"format": "pt"})]


def read_safetensors(here: Path, data: bytes, number: int) -> None:
    (here / "a.safetensors").write_bytes(data)
    load_weights(NETWORK, here / "a.safetensors", backbone="resnet8")
