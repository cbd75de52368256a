"""What is on the disk while trials run, and trained weights."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save

from ablations.running.record.leases import Holder, Leases
from ablations.running.training.checkpoint import MAGIC, Checkpoints
from ablations.running.training.progress import Progress
from senet_core import SEVariant, build_model
from senet_core.weights import load_weights

KEY = "0123456789abcdef"
CONTEXT = {"commit": "x", "threads": 1}
NETWORK = build_model("resnet8", SEVariant(reduction=8), num_classes=10)


def progress(here: Path) -> Sequence[bytes]:
    epoch = {
        "epoch": 1,
        "train_loss": 1.0,
        "train_error": 50.0,
        "lr": 0.1,
        "seconds": 1.0,
        "validation_error": None,
    }
    lines = [
        {"pid": os.getpid(), "attempt": 1, "environment": {"host": "elsewhere"}},
        {"steps": [3, 10]},
        {"epoch": epoch},
    ]
    return ["".join(json.dumps(line) + "\n" for line in lines).encode()]


def read_progress(here: Path, data: bytes, number: int) -> None:
    path = here / f"{KEY}.jsonl"
    path.write_bytes(data)
    found = Progress(path)
    found.read()
    with path.open("ab") as file:
        file.write(data[: len(data) // 2] + b"\n")
    found.read()
    found.kill_process()
    assert found.done <= max(found.total, found.done)
    assert all(epoch.epoch is not None for epoch in found.epochs)


def leases(here: Path) -> Sequence[bytes]:
    dead = Holder(Holder.this_process().host, Holder.this_process().boot, 2**22 - 1, 1)
    return [json.dumps(asdict(holder)).encode() for holder in (Holder.this_process(), dead)]


def read_lease(here: Path, data: bytes, number: int) -> None:
    folder = here / "leases"
    folder.mkdir(exist_ok=True)
    (folder / f"{KEY}.json").write_bytes(data)
    for holder in (Leases(folder), Leases(folder, stale_seconds=0)):
        str(holder.holder(KEY))
        holder.is_stale(KEY)
        holder.clear_dead()
        holder.take(KEY)
        holder.refresh()
        holder.release_all()


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
