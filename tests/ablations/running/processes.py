"""Real processes for the tests that stop and starve them: the command line, and an MLflow server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ablations.running.mlflow.store import Store, ui_environment

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests" / "chaos"))
PATIENCE_SECONDS = 300.0  # the machine may be busy with other things

STUDY = """
title: Small
question: Does it work?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 80, test_images: 40}
recipe: {base: cifar-quick, epochs: %d, warmup: 0.2, batch_size: 32, lr: 0.05, pad: 1, precision: fp32}
axes: {squeeze: [avg]}
seeds: 1
"""


class Command:
    """`ablate run` on a small study of two trials.

    Args:
        folder: to stand in; `results/` with an MLflow store is there already.
        epochs: of a trial.
    """

    def __init__(self, folder: Path, epochs: int) -> None:
        self.folder = folder
        (folder / "small.yaml").write_text(STUDY % epochs, encoding="utf-8")

    @property
    def study(self) -> Path:
        return self.folder / "results" / "small"

    @property
    def record(self) -> Path:
        return self.study / "trials.jsonl"

    @property
    def store(self) -> Path:
        return self.folder / "results" / "mlflow.db"

    def start(
        self, *more: str, words: Sequence[str] = ("run", "small.yaml", "--workers", "2"), **options: Any
    ) -> subprocess.Popen[str]:
        """Start it, with more words or other ones, in its own process group."""
        code = "from ablations.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *words, *more],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def run(self, *more: str, **options: Any) -> tuple[int, str, str]:
        """Run it to its end; returns its status and what it said."""
        process = self.start(*more, **options)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, out, err


class Server:
    """An MLflow server on a database, to be stopped and started again on the same port."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder, self.database = folder, database
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["server", "--backend-store-uri", f"sqlite:///{self.database}", "--workers", "1"]
        words += ["--artifacts-destination", str(self.folder / "artifacts"), "--host", "127.0.0.1"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words, "--port", str(self.port)],
                cwd=self.folder,
                env=ui_environment(Store(f"sqlite:///{self.database}", self.folder, given=False)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers)

    def stop(self) -> None:
        """End the server and the process that serves for it."""
        if self.process is not None:
            self.signal("TERM")
            self.process.wait(PATIENCE_SECONDS)
            until(lambda: not self._answers())
            self.process = None

    def signal(self, name: str) -> None:
        import signal

        assert self.process is not None
        os.killpg(self.process.pid, getattr(signal, f"SIG{name}"))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
