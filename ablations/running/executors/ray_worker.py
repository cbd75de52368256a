"""A task in a worker of Ray: its threads, GPUs, folders and data are set up, then it runs."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ablations.running.executors.ray_cluster import Resources
from ablations.running.executors.ray_data import DataFile
from ablations.running.record.leases import FOLDER as LEASES
from ablations.running.trials.task import Task
from ablations.running.trials.worker import set_up
from senet_core.errors import UserError


@dataclass(frozen=True)
class TaskContext:
    """What every task of an executor has in common.

    Attributes:
        resources: what Ray assigns to each.
        folder: working directory of the sweep, for paths relative to it.
        data: the data sets in the object store; none where nodes share the files.
        warm_up: as for `start_worker`.
    """

    resources: Resources
    folder: str
    data: tuple[DataFile, ...] = ()
    warm_up: str = ""


def run_on_node(
    context: TaskContext, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[Any]:
    """Yield the host on which the task has begun, then its result: Ray passes both on as they come.

    Raises:
        UserError: the node does not see the results folder or the data.
    """
    yield socket.gethostname()
    _set_up(context)
    arguments = tuple(_located(a, context.data) if isinstance(a, Task) else a for a in arguments)
    yield function(*arguments, **options)


def _set_up(context: TaskContext) -> None:
    """Set up a worker of Ray as `start_worker` sets up one of the process pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep decides, by its stop file
    if context.resources.gpus == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a GPU that was not asked for may be another's
    with suppress(OSError):  # the folder need not be there where all paths are absolute
        os.chdir(context.folder)
    set_up(context.resources.cpus, context.warm_up)


def _located(task: Task, data: tuple[DataFile, ...]) -> Task:
    """Return the task with the folder of the data on this node; refuse a node where results would be lost."""
    host, results = socket.gethostname(), task.running_dir.parent
    # the trial's own lease, which the sweep has just written there: a folder of the same name would not have it
    if not (results / LEASES / f"{task.key}.json").exists():
        raise UserError(
            f"node {host} does not see {results} as the sweep does: results must be in a folder that all nodes"
            " share; give one with `results_dir`"
        )
    try:
        by_name = {file.name: file for file in data}
        return task.on_this_node((lambda name: by_name[name].local()) if data else None)
    except UserError as error:
        raise UserError(f"node {host}: {error}") from error
