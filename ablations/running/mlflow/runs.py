"""Reading and writing the runs of one MLflow experiment."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.running.machine.holder import Holder
from ablations.running.mlflow.values import DIGEST_CHARACTERS, EPOCH_METRIC, LEVEL, finite_metrics
from ablations.running.record.leases import Leases

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

BATCH = 1000  # MLflow's limit of metrics in one call
KEY = "senet.key"  # tag: the trial
SWEEP = "senet.sweep"  # tag: the process that writes a run
NOTE = "mlflow.note.content"  # tag that MLflow shows as Markdown, of runs and experiments
STOPPED = "senet.stopped"  # tag: why a run was closed before its end


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
        """Keep a copy of a folder's files with the run, but for those whose names begin with a dot: drafts."""
        for path in sorted(folder.rglob("[!.]*")):
            if path.is_file():
                inner = path.parent.relative_to(folder)
                self._client.log_artifact(run_id, str(path), None if inner == Path() else inner.as_posix())

    def epochs(self, run_id: str) -> list[int]:
        """Return the numbers of the epochs that a run has, in order; one that was written twice stands there twice."""
        return sorted(metric.step for metric in self._client.get_metric_history(run_id, EPOCH_METRIC))

    def close_left_open(self, run_id: str, why: str) -> bool:
        """End a run as KILLED that is still open, and return whether it was: its owner may have ended it meanwhile."""
        still = str(self._client.get_run(run_id).info.status) == "RUNNING"
        if still:
            self.close(run_id, "KILLED", {STOPPED: why})
        return still

    def close(self, run_id: str, status: str, tags: Mapping[str, str]) -> None:
        """End a run as FINISHED, FAILED or KILLED."""
        for tag, value in tags.items():
            self._client.set_tag(run_id, tag, value)
        self._client.set_terminated(run_id, status)

    def tag(self, run_id: str, tag: str, value: str) -> None:
        """Set a tag."""
        self._client.set_tag(run_id, tag, value)

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

    def describe(self, note: str) -> None:
        """Keep what MLflow shows at the head of the experiment's page, in Markdown."""
        self._client.set_experiment_tag(self.experiment_id, NOTE, note)

    def on_level(self, level: str) -> list[Run]:
        """Return the runs that are trials, summaries or reports."""
        return self.search(f"tags.`{LEVEL}` = '{level}'")


def this_process() -> str:
    """Return a name of this process such that no other process of any machine has the name, now or later."""
    return Holder.this_process().to_text()


def may_be_written(run: Run, leases: Leases | None) -> bool:
    """Return whether the process that opened a run may still write to it.

    Args:
        run: an open one.
        leases: of the study, where nobody writes to the store who has not his leases there: each writer of a trial's
            run holds the trial, and runs of other writers are nobody's. None where the store serves others, too: there
            only a process that is known to be dead has left its run.
    """
    try:
        owner = Holder.from_text(run.data.tags.get(SWEEP, ""))
    except ValueError:
        owner = None
    if owner is not None and owner.is_near():
        return not owner.is_dead()
    if leases is None or KEY not in run.data.tags:
        return True
    holder = leases.holder(run.data.tags[KEY])
    return holder is not None and owner is not None and holder.token == owner.token
