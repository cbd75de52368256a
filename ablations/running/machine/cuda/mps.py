"""NVIDIA's Multi-Process Service (MPS), with which kernels of several processes run on one GPU at the same time.

Without it processes that share a GPU take turns on it. A control daemon that is there already is used; else one of our
own is started for the time of a sweep, which listens in a folder of its own and so serves nobody else.

Source: docs.nvidia.com/deploy/mps, on the daemon's commands and the variables that it and its clients read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ablations.running.machine.holder import Holder
from senet_core.errors import one_line

CONTROL = "nvidia-cuda-mps-control"
PIPES, LOGS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"
MPS, TURNS = "mps", "turns"
"""How processes share a GPU, as the record says it."""

MOST_CLIENTS = 48
"""Processes that one GPU serves at once, from Volta on; newer GPUs serve a few more."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_FOLDER, _OWNER = "ablate-mps-", "owner"
_ANSWER_SECONDS, _END_SECONDS = 10.0, 30.0


@dataclass
class GpuService:
    """How the processes of a sweep share GPUs.

    Attributes:
        environment: variables of the processes that are to share.
        why_turns: why they take turns, in one line; empty where there is a daemon.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    why_turns: str = ""
    _serves: bool = False

    def how(self) -> str:
        """Return MPS if a server has been seen that serves a process, else TURNS; to be asked while processes run.

        A process that cannot reach the daemon goes on without it, and says nothing.
        """
        if not self._serves and not self.why_turns:
            said = _asked("get_server_list", {**os.environ, **self.environment})
            self._serves = said is not None and any(word.isdigit() for word in said.split())
        return MPS if self._serves else TURNS


@contextmanager
def gpu_service(say: Callable[[str], None] = lambda message: None) -> Iterator[GpuService]:
    """Yield how processes are to share GPUs; a daemon that was started for them is ended behind the block.

    Args:
        say: called with a line of text where they have to take turns.
    """
    if shutil.which(CONTROL) is None:
        service = GpuService(why_turns=f"{CONTROL} is not installed")
    elif _asked("get_server_list", os.environ) is not None:
        service = GpuService()  # somebody's, whose folder the environment names, or the usual one
    else:
        _end_orphans()
        with _own_daemon() as service:
            _warn(service, say)
            yield service
        return
    _warn(service, say)
    yield service


def _warn(service: GpuService, say: Callable[[str], None]) -> None:
    if service.why_turns:
        say(f"trials that share a GPU take turns on it, which gains little: no MPS, as {service.why_turns}")


@contextmanager
def _own_daemon() -> Iterator[GpuService]:
    """Start a daemon that listens in a new folder, and end it; where none can be started, say why not."""
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
    variables = {PIPES: str(folder), LOGS: str(folder)}
    try:
        (folder / _OWNER).write_text(Holder.this_process().to_text(), encoding="utf-8")
        reason = _started({**_of_daemon(os.environ), **variables})
        yield GpuService({} if reason else variables, reason)
        if not reason:
            _asked("quit", {**os.environ, **variables}, _END_SECONDS)
    except BaseException:
        _asked("quit", {**os.environ, **variables}, _END_SECONDS)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of_daemon(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the daemon's environment: it numbers the GPUs that it sees anew, so that it is to see all of them.

    Where they are chosen by what is no number, daemon and processes mean the same ones.
    """
    kept = dict(environment)
    chosen = [name.strip() for name in kept.get(_VISIBLE, "").split(",")]
    if any(name.isdigit() for name in chosen):
        del kept[_VISIBLE]
    return kept


def _started(environment: Mapping[str, str]) -> str:
    """Start a daemon; return why it did not start, empty where it did."""
    try:
        done = subprocess.run(
            [CONTROL, "-d"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return one_line(error)
    if done.returncode != 0:
        return one_line(RuntimeError((done.stderr or done.stdout).strip() or f"status {done.returncode}"))
    return "" if _asked("get_server_list", environment) is not None else "its daemon does not answer"


def _asked(command: str, environment: Mapping[str, str], seconds: float = _ANSWER_SECONDS) -> str | None:
    """Send a daemon a command, and return its answer; None where there is no daemon."""
    try:
        done = subprocess.run(
            [CONTROL],
            env=dict(environment),
            input=f"{command}\n",
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _end_orphans() -> None:
    """End the daemons of sweeps of this machine that were killed and could not do it themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        try:
            owner = Holder.from_text((folder / _OWNER).read_text(encoding="utf-8"))
            if not owner.is_dead() or folder.stat().st_uid != os.getuid():
                continue
        except (OSError, ValueError):
            continue
        _asked("quit", {**os.environ, PIPES: str(folder), LOGS: str(folder)}, _END_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
