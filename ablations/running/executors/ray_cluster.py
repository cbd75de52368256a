"""Ray clusters: connecting to one or starting one here, and how many trials its nodes can run."""

from __future__ import annotations

import logging
import math
import os
import shutil
import signal
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.errors import ToolMissing
from ablations.running.machine.holder import Holder
from ablations.running.machine.signals import STOPPING, signals_held_back
from ablations.running.machine.starting import WORKER_ENVIRONMENT
from ablations.running.record.leases import is_left_behind
from senet_core.errors import UserError
from senet_core.words import counted

ANSWER_SECONDS = 5.0
"""How long a cluster may take to answer; Ray itself would wait for minutes."""

STORE_BYTES = 80 << 20
"""Shared memory of a Ray that is started here: outcomes are small, and Ray would take a third of the memory."""

LONGEST_FOLDER = 40
"""Characters of the temporary folder: sockets are made some 60 deeper in it, and a socket's path may have 107."""

_PREFIX, _HOLDER = "ray-", "ablate-holder.json"

log = logging.getLogger("ablations")


@dataclass(frozen=True)
class Resources:
    """What a trial asks of its node.

    Attributes:
        cpus: cores, at least 1; also the number of the trial's threads.
        gpus: share of a GPU from 0 to 1, or a whole number of GPUs.

    Raises:
        UserError: gpus is not finite, or above 1 and not whole, which Ray cannot assign.
    """

    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.gpus):
            raise UserError(f"`gpus_per_trial` must be a number, got {self.gpus:g}")
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise UserError(f"`gpus_per_trial` above 1 must be a whole number, got {self.gpus:g}")

    def __str__(self) -> str:
        return _resource_text(self.cpus, self.gpus)


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, with all its cores and GPUs, free or not."""

    host: str
    cpus: float
    gpus: float

    def holds(self, resources: Resources) -> int:
        """Return how many trials fit on the node at a time."""
        by_cpus = int(self.cpus / resources.cpus)
        if resources.gpus == 0:
            return by_cpus
        if resources.gpus >= 1:
            return min(by_cpus, int(self.gpus / resources.gpus))
        # a share is of one GPU: three trials of 0.3 fit on each
        return min(by_cpus, int(self.gpus) * int(1 / resources.gpus))

    def __str__(self) -> str:
        return f"{self.host}: {_resource_text(self.cpus, self.gpus)}"


def trials_at_a_time(resources: Resources, nodes: Sequence[Node]) -> int:
    """Return how many trials the nodes hold at a time, at least 1.

    Raises:
        UserError: none of them holds even one. Ray would wait for ever.
    """
    count = sum(node.holds(resources) for node in nodes)
    if not count:
        shown = "; ".join(map(str, nodes[:5])) + (f"; and {len(nodes) - 5} more" if len(nodes) > 5 else "")
        raise UserError(
            f"a trial asks for {resources}, and no node of the Ray cluster has that ({shown or 'it has no nodes'});"
            " ask for fewer CPUs or GPUs per trial"
        )
    return count


@contextmanager
def connected(address: str | None, *, cpus: int = 1, gpus: int = 0) -> Iterator[None]:
    """Connect to a cluster inside the block, or to a Ray on this machine that is started and ends with it.

    Args:
        address: "HOST:PORT" of the cluster's head, or "auto" for the one that runs on this machine; None starts one.
        cpus: cores that a Ray started here may use.
        gpus: GPUs likewise.

    Raises:
        ToolMissing: Ray is not installed.
        UserError: nobody answers, or Ray refuses.
    """
    ray = import_ray()
    options: dict[str, Any] = {"address": address or "local"}
    with ExitStack() as stack:
        if address is None:
            folder = _short_folder()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)  # Ray leaves its session behind
            options |= {
                "num_cpus": cpus,
                "num_gpus": gpus,
                "_temp_dir": str(folder),
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
        else:
            check_reachable(address)
        with _own_signal_handlers(), signals_held_back() if address is None else nullcontext():
            try:
                ray.init(
                    log_to_driver=False,  # workers report through their progress files
                    logging_level="error",
                    runtime_env={"env_vars": worker_environment()},
                    **options,
                )
            except Exception as error:
                place = f"Ray at {address}" if address else "a Ray of this sweep's own"
                raise UserError(f"{place} cannot be had: {_first_line(error)}") from error
        stack.callback(ray.shutdown)
        stack.enter_context(_quiet())
        yield


def import_ray() -> Any:
    """Return the module of Ray.

    Raises:
        ToolMissing: it is not installed.
    """
    # a call after the end of a connection must fail, not start a Ray of its own
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        import ray
    except ImportError as error:
        raise ToolMissing(
            f'the executor ray needs Ray: pip install "senet-ablations[ray]" ({_first_line(error)})'
        ) from error
    return ray


def nodes_of_cluster() -> list[Node]:
    """Return the nodes of the connected cluster that are alive."""
    return [
        Node(node["NodeManagerHostname"], node["Resources"].get("CPU", 0), node["Resources"].get("GPU", 0))
        for node in import_ray().nodes()
        if node["Alive"]
    ]


def worker_environment() -> dict[str, str]:
    """Return the environment variables of workers: malloc's as in the process pool, or as the user has set them."""
    names = [*WORKER_ENVIRONMENT, "PYTHONPATH"]
    found = {name: os.environ.get(name, WORKER_ENVIRONMENT.get(name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def check_reachable(address: str) -> None:
    """Check that something listens at an address: Ray itself would try for minutes.

    Raises:
        UserError: nobody answers, or it is no address.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not (host and port.isdigit()):
        raise UserError(
            f"`ray_address` takes HOST:PORT of the cluster's head, or auto; got {address!r} (run the sweep on a"
            " machine of the cluster: `ray start` says the address)"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"nobody answers at the Ray address {address}: {error}") from error


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Keep Ray from taking the signals by which a sweep is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _short_folder() -> Path:
    """Make a folder for the session of a Ray that is started here; those of drivers that were killed are removed."""
    usual = tempfile.gettempdir()
    parent = Path(usual if len(usual) <= LONGEST_FOLDER else "/tmp")
    for old in parent.glob(f"{_PREFIX}*"):
        if _is_ours(old) and is_left_behind(old / _HOLDER):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    (folder / _HOLDER).write_text(Holder.this_process().to_text(), encoding="utf-8")
    return folder


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray from printing its logs into the display when a node or a worker ends: the executor reports it."""
    from ray._private import worker

    printing = getattr(worker, "print_to_stdstream", None)  # there is no public way
    if printing is None:
        yield
        return
    worker.print_to_stdstream = lambda data, ignore_prefix: log.debug("ray: %s", data)
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


def _resource_text(cpus: float, gpus: float) -> str:
    return f"{counted(cpus, 'CPU')} and {counted(gpus, 'GPU')}"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
