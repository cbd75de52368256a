"""What happens in a worker of Ray before and around a task: threads, GPUs, folders, and the data."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablations.running.executors.ray_cluster import Needs
from ablations.running.record.leases import FOLDER as LEASES
from ablations.running.training.worker import Task
from senet_core.errors import UserError


@dataclass(frozen=True)
class DataFile:
    """A prepared data set in Ray's object store, for nodes that do not see its file.

    Attributes:
        name: of the file.
        digest: of the data.
        content: where Ray keeps the bytes.
    """

    name: str
    digest: str
    content: Any

    def local(self) -> Path:
        """Return a folder of this node that has the file; the first task that asks writes it.

        Raises:
            OSError: it cannot be written.
        """
        import ray

        user = os.getuid() if hasattr(os, "getuid") else 0
        folder = Path(tempfile.gettempdir()) / f"senet-ablations-{user}" / self.digest
        path = folder / self.name
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
            partial.write_bytes(memoryview(ray.get(self.content)))
            partial.replace(path)
        return folder


@dataclass(frozen=True)
class Conditions:
    """Under which every task of an executor runs.

    Attributes:
        needs: what Ray gives it.
        folder: the sweep's own, for names that are relative to it.
        data: the data set in the object store; None where nodes share the file.
    """

    needs: Needs
    folder: str
    data: DataFile | None = None


def run_on_node(
    conditions: Conditions, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[Any]:
    """Say on which host the task has begun, then give its result: a generator, so that Ray tells both.

    Raises:
        UserError: the node does not see the sweep's folders.
    """
    yield socket.gethostname()
    _prepare(conditions)
    arguments = tuple(_located(a, conditions.data) if isinstance(a, Task) else a for a in arguments)
    yield function(*arguments, **options)


def _prepare(conditions: Conditions) -> None:
    """Do for a worker of Ray what `start_worker` does for one of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep decides, by its stop file
    if conditions.needs.gpus == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a GPU that was not asked for may be another's
    with suppress(OSError):  # the folder need not be there where all paths are absolute
        os.chdir(conditions.folder)
    import torch

    import ablations.running.training.trial_training  # noqa: F401  (imported now, so that the first trial's time is the trial's)

    torch.set_num_threads(conditions.needs.cpus)


def _located(task: Task, data: DataFile | None) -> Task:
    """Refuse a node on which results would be lost, and find the data."""
    from ablations.planning.trial import Trial
    from ablations.running.data.paths import prepared_path

    host, results = socket.gethostname(), task.running_dir.parent
    # the trial's own lease, which the sweep has just written there: a folder of the same name would not have it
    if not (results / LEASES / f"{task.key}.json").exists():
        raise UserError(
            f"node {host} does not see {results} as the sweep does: results must be in a folder that all nodes"
            " share; give one with --results-dir"
        )
    path = prepared_path(Trial.from_json(task.trial).data, task.data_dir)
    if path.exists():
        return task
    if data is None:
        raise UserError(
            f"node {host} does not see the prepared data {path}: give a folder that all nodes share with"
            " --data-dir, or --ray-data object-store"
        )
    return replace(task, data_dir=data.local())
