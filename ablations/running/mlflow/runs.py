"""Reading and writing the runs of one MLflow experiment."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ablations.running.mlflow.values import DIGEST_CHARACTERS, LEVEL, finite_metrics

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

BATCH = 1000  # MLflow's limit of metrics in one call
SWEEP = "senet.sweep"  # tag: the process that writes a run


class Runs:
    """The runs of one experiment.

    Args:
        client: an opened store.
        experiment_id: MLflow's identity of the experiment.
    """

    def __init__(self, client: MlflowClient, experiment_id: str) -> None:
        self._client = client
        self.experiment_id = experiment_id

    def create(self, name: str, tags: Mapping[str, object], parameters: Mapping[str, str]) -> str:
        """Open a run and return its identity; tags that are None are left out."""
        known = {tag: str(value) for tag, value in tags.items() if value is not None}
        run = self._client.create_run(self.experiment_id, run_name=name, tags=known)
        run_id = str(run.info.run_id)
        self.write_parameters(run_id, parameters)
        return run_id

    def write_parameters(self, run_id: str, parameters: Mapping[str, str]) -> None:
        """Write parameters in one call."""
        from mlflow.entities import Param

        if parameters:
            self._client.log_batch(run_id, params=[Param(*item) for item in parameters.items()])

    def write_metrics(self, run_id: str, steps: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Write the finite numbers of several steps, in one call where MLflow's limit allows."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, step)
            for step, values in steps
            for name, value in finite_metrics(values).items()
        ]
        for first in range(0, len(metrics), BATCH):
            self._client.log_batch(run_id, metrics=metrics[first : first + BATCH])

    def write_data(self, run_id: str, name: str, digest: str, note: str) -> None:
        """Write which data set a run read."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        dataset = Dataset(name, digest[:DIGEST_CHARACTERS], "local", name, profile=note or None)
        context = InputTag("mlflow.data.context", "train, test")
        self._client.log_inputs(run_id, [DatasetInput(dataset, [context])])

    def write_json(self, run_id: str, content: Mapping[str, Any], name: str) -> None:
        """Keep a value as a file of the run."""
        self._client.log_dict(run_id, dict(content), name)

    def write_folder(self, run_id: str, folder: Path) -> None:
        """Keep a copy of a folder's files with the run."""
        self._client.log_artifacts(run_id, str(folder))

    def close(self, run_id: str, status: str, tags: Mapping[str, str]) -> None:
        """End a run as FINISHED, FAILED or KILLED."""
        for tag, value in tags.items():
            self._client.set_tag(run_id, tag, value)
        self._client.set_terminated(run_id, status)

    def delete(self, run_id: str) -> None:
        """Put a run into MLflow's bin."""
        self._client.delete_run(run_id)

    def search(self, condition: str) -> list[Run]:
        """Return every run that meets a condition in MLflow's language."""
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self.experiment_id], condition, max_results=1000, page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found

    def save_view(self, view: tuple[str, str]) -> None:
        """Offer a view of the experiment on MLflow's page."""
        self._client.set_experiment_tag(self.experiment_id, *view)

    def on_level(self, level: str) -> list[Run]:
        """Return the runs that are trials, summaries or reports."""
        return self.search(f"tags.`{LEVEL}` = '{level}'")


def this_process() -> str:
    """Return a name of this process such that no other process of any machine has the name, now or later."""
    return f"{platform.node()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def has_ended(sweep: str) -> bool:
    """Return whether a process that `this_process` named was one of this machine and has ended."""
    host, _, rest = sweep.partition(":")
    number, _, started = rest.partition(":")
    if host != platform.node() or not number.isdigit():
        return False
    try:
        process = psutil.Process(int(number))
        return process.status() == psutil.STATUS_ZOMBIE or f"{process.create_time():.0f}" != started
    except psutil.NoSuchProcess:
        return True
