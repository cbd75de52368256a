"""Readers of what a program logs by a library: to MLflow, or as TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablations.errors import StudyError, ToolMissing
from ablations.experiments.command.reading import Left, NotMeasured, Reader, chosen, inner_path, reader

MLFLOW_FOLDER = "mlruns"


@reader
class MlflowReader(Reader):
    """The one run that the program logs to MLflow, in a store of the trial's own."""

    name = "mlflow"

    def parse(self, value: object) -> None:
        """Take `true`."""
        if value is not True:
            raise StudyError(f"experiment.read.mlflow takes true, got {value!r}")

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Have the program log into the trial's folder."""
        return {"MLFLOW_TRACKING_URI": self._store(folder)}

    def read(self, left: Left) -> dict[str, float]:
        """Return the metrics of the run."""
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise ToolMissing("experiment.read.mlflow needs MLflow: pip install mlflow") from error
        client = MlflowClient(self._store(left.folder))
        runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
        if len(runs) != 1:
            raise NotMeasured(f"it logged {len(runs)} runs to MLflow, and should log one")
        history = {
            name: [m.value for m in client.get_metric_history(runs[0].info.run_id, key)]
            for name, key in self.keys.items()
        }
        return {name: chosen(name, values, self.at, "its MLflow run") for name, values in history.items()}

    @staticmethod
    def _store(folder: Path) -> str:
        return f"sqlite:///{folder / 'mlflow.db'}"


@reader
class TensorboardReader(Reader):
    """Event files in a folder of the trial's own; a metric's key is its tag."""

    name = "tensorboard"

    def parse(self, value: object) -> None:
        """Take the folder's name; `.` for the trial's folder itself."""
        self._folder = inner_path("experiment.read.tensorboard", value)

    def read(self, left: Left) -> dict[str, float]:
        """Return the metrics of all event files below the folder."""
        try:
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        except ImportError as error:
            raise ToolMissing(
                "experiment.read.tensorboard needs TensorBoard: pip install tensorboard"
            ) from error
        folder = left.folder / self._folder
        files = sorted(folder.rglob("*tfevents*")) if folder.is_dir() else []
        values: dict[str, list[Any]] = {name: [] for name in self.keys}
        for file in files:
            events = EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 0})
            events.Reload()
            for name, key in self.keys.items():
                if key in events.Tags()["scalars"]:
                    values[name] += [event.value for event in events.Scalars(key)]
        if not files:
            raise NotMeasured(f"it left no event files in {self._folder}")
        return {name: chosen(name, found, self.at, "its event files") for name, found in values.items()}
