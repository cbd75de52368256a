"""A server and all that it has started end with the command that started it, however that is asked to stop."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SERVER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time; {deaf}; time.sleep(600)"])
open({told!r} + ".new", "w").write(str(child.pid))
import os; os.replace({told!r} + ".new", {told!r})
time.sleep(600)
"""
STARTER = """
import os, sys
from ablations.running.machine.servers import serve
sys.exit(serve({command!r}, os.environ))
"""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize(
    ("number", "deaf", "status"),
    [
        (signal.SIGTERM, "", 143),
        (signal.SIGTERM, DEAF, 143),
        (signal.SIGINT, "", 0),
        (signal.SIGHUP, "", 129),
    ],
)  # fmt: skip
def test_a_signal_ends_the_server_and_its_children(
    tmp_path: Path, number: signal.Signals, deaf: str, status: int
) -> None:
    told = tmp_path / "told"
    command = [sys.executable, "-c", SERVER.format(told=str(told), deaf=deaf or "pass")]
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER.format(command=command)], stderr=subprocess.PIPE, text=True
    )
    try:
        while not told.exists():
            assert starter.poll() is None
            time.sleep(0.05)
        processes = psutil.Process(starter.pid).children(recursive=True)
        assert len(processes) == 2
        starter.send_signal(number)
        _, said = starter.communicate(timeout=60)
        assert starter.returncode == status
        assert re.match(
            r"stopping \((Ctrl-C|SIG[A-Z]+)\): waiting for the server to end, 5 s at most\n", said
        )
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
    finally:
        starter.kill()


def test_a_server_that_ends_by_itself_gives_its_status() -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    done = subprocess.run([sys.executable, "-c", STARTER.format(command=command)], check=False)
    assert done.returncode == 3
