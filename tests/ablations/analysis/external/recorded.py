"""Runs as other people's scripts leave them, written with the libraries that those scripts use."""

from __future__ import annotations

import json
import random
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

VARIANTS = {"0.1": 0.0, "0.01": 1.0, "0.001": -0.5}
"""Learning rates, and how far the error of each lies from the first's."""
SEEDS = range(5)


def error_of(rate: str, seed: int, step: int = 9) -> float:
    """An error in per cent: alike for all rates of one seed, and falling with the steps."""
    shared, own = random.Random(seed).random(), random.Random(f"{rate} {seed}").random()
    return 8 + VARIANTS[rate] + 0.3 * shared + 0.05 * own + 2 / (step + 1)


def runs() -> Iterator[tuple[str, int]]:
    return ((rate, seed) for rate in VARIANTS for seed in SEEDS)


def by_mlflow_script(folder: Path, empty_database: Path) -> None:
    """What a script with `mlflow.start_run()` leaves in its folder: mlflow.db."""
    import mlflow

    shutil.copy(empty_database, folder / "mlflow.db")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        mlflow.set_experiment("rates")
        for rate, seed in runs():
            with mlflow.start_run(run_name=f"rate {rate}, {seed}"):
                mlflow.log_params({"lr": float(rate), "seed": seed, "epochs": 10})
                mlflow.set_tag("optimizer", "sgd" if rate == "0.1" else "adam")
                for step in (0, 9):
                    mlflow.log_metric("error", error_of(rate, seed, step), step=step)
    finally:
        mlflow.set_tracking_uri(before)


def by_tensorboard(
    folder: Path, name: str = "{rate}/seed{seed}", tag: str = "val/error", shift: float = 0
) -> None:
    """What torch's SummaryWriter leaves."""
    from torch.utils.tensorboard import SummaryWriter

    for rate, seed in runs():
        with SummaryWriter(str(folder / name.format(rate=rate, seed=seed))) as writer:
            writer.add_text("note", "no scalar")
            for step in range(10):
                writer.add_scalar(tag, shift + error_of(rate, seed, step), step)


def by_optuna(folder: Path) -> None:
    """A study of every rate with every seed; the seed is an attribute."""
    (folder / "optuna.db").write_bytes(_optuna_database())


@cache
def _optuna_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _make_study(Path(folder))
        return Path(folder, "optuna.db").read_bytes()


def _make_study(folder: Path) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{folder}/optuna.db", study_name="rates", direction="minimize"
    )
    for rate, seed in runs():
        study.enqueue_trial({"lr": rate})
        trial = study.ask()
        trial.suggest_categorical("lr", list(VARIANTS))
        trial.set_user_attr("seed", seed)
        study.tell(trial, error_of(rate, seed))


def by_json(folder: Path, **more: Any) -> None:
    for rate, seed in runs():
        place = folder / f"lr{rate}" / f"{seed}"
        place.mkdir(parents=True)
        values = {
            "seed": seed,
            "config": {"lr": float(rate)},
            "test": {"error": error_of(rate, seed)},
            **more,
        }
        (place / "metrics.json").write_text(json.dumps(values))


def by_wandb_summary(folder: Path) -> None:
    """The files of a run as W&B's servers have them, and older versions wrote them."""
    for number, (rate, seed) in enumerate(runs()):
        place = folder / "wandb" / f"run-20260101_000000-{number:08d}" / "files"
        place.mkdir(parents=True)
        summary = {"error": error_of(rate, seed), "_step": 9, "_runtime": 1.5, "_wandb": {"runtime": 1}}
        (place / "wandb-summary.json").write_text(json.dumps(summary))
        (place / "config.yaml").write_text(
            f"wandb_version: 1\n\n_wandb:\n  desc: null\n  value:\n    python_version: 3.11.7\n"
            f"lr:\n  desc: null\n  value: {rate}\nseed:\n  desc: null\n  value: {seed}\n"
        )


def by_wandb_offline(folder: Path, exit_codes: Mapping[tuple[str, int], int | None] | None = None) -> None:
    """The logs that W&B 0.31 leaves where it is offline, record by record."""
    for number, (rate, seed) in enumerate(runs()):
        identity = f"{number:08d}"
        config = _items({"lr": float(rate), "seed": seed, "model": {"depth": 3}, "_wandb": {}})
        records = [
            _part(
                17,
                _part(1, identity) + _part(3, "project") + _part(4, config) + _part(8, f"run {rate} {seed}"),
            ),
            *(_part(2, _items({"error": error_of(rate, seed, step), "_step": step})) for step in range(10)),
            _part(3, _items({"error": error_of(rate, seed), "_step": 9, "_runtime": 1.5})),
        ]
        code = (exit_codes or {}).get((rate, seed), 0)
        if code is not None:
            records.append(_part(18, _number(1, code)))
        place = folder / "wandb" / f"offline-run-20260101_000000-{identity}"
        place.mkdir(parents=True)
        (place / f"run-{identity}.wandb").write_bytes(wandb_log(records))


def wandb_log(records: Sequence[bytes]) -> bytes:
    """Records in blocks of 32 KiB, as LevelDB's logs have them."""
    made = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for record in records:
        first, rest = True, record
        while first or rest:
            left = 2**15 - len(made) % 2**15
            if left < 7:
                made += bytes(left)
                continue
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            made += struct.pack("<IHB", zlib.crc32(bytes([kind]) + piece), len(piece), kind) + piece
            first = False
    return bytes(made)


def _items(values: Mapping[str, Any]) -> bytes:
    return b"".join(_part(1, _part(1, name) + _part(16, json.dumps(value))) for name, value in values.items())


def _part(number: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
