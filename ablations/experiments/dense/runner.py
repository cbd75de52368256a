"""DenseRunner and DenseTask: how trials of detection and segmentation are run: their data are checked first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import DataError
from ablations.experiments.dense.coco import data_digest
from ablations.experiments.dense.kind import DenseExperiment, DensePlaces, factor_values
from ablations.planning.factors.trial import EXPERIMENT
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import choose_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.machine.packages import package_version
from ablations.running.trials.experiment_task import ExperimentTask
from ablations.running.trials.inputs import InputData, Inputs
from ablations.running.trials.runner import Runner

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial
    from ablations.running.record.trial_record import TrialRecord

_PRECISION = "fp32"


@dataclass(frozen=True, kw_only=True)
class DenseTask(ExperimentTask):
    """One trial of detection or segmentation.

    Attributes:
        data_dir: where data sets are, by name.
    """

    data_dir: Path

    def experiment(self) -> DenseExperiment:
        """Make the experiment again; data that are not there end the sweep, as they would the next trial.

        Raises:
            DataError: the folder is not there.
        """
        found = super().experiment()
        assert isinstance(found, DenseExperiment)
        found.folder(self.data_dir)
        return found.placed(DensePlaces(self.data_dir, self.data_digest))

    def environment(self, threads: int) -> dict[str, Any]:
        """Return where it runs, as of a training, with the version of what scores."""
        device = choose_device()
        settings = prepare_device(device, _PRECISION)
        settings.pop(
            "deterministic", None
        )  # nobody notes here which operations are not, so it is not promised
        return {
            **describe_environment(device=device, precision=_PRECISION, threads=threads, kernels=NO_KERNELS),
            **settings,
            "pycocotools": package_version("pycocotools"),
        }


class DenseRunner(Runner):
    """How trials of detection and segmentation are run."""

    def prepare(self, design: Design, data_dir: Path, say: Callable[[str], None]) -> Inputs:
        """Read and check both splits."""
        experiment = _dense(design.study)
        train, test = experiment.splits(data_dir)
        for row in design.rows:
            size = experiment.whole_recipe(factor_values(row))["batch_size"]
            if size > len(train.images):
                raise DataError(
                    f"row {row.label!r}: batch_size {size} is more than the {len(train.images):,} training images"
                )
        for split in (train, test):
            experiment.check_annotations(split, design.rows)
        say(f"training: {train}; test: {test}")
        return Inputs({_data_name(experiment.to_json()): InputData(data_digest(train, test))})

    def task(
        self, study: Study, trial: Trial, places: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> DenseTask:
        """Return a trial as it is sent to a worker."""
        return DenseTask(
            key=trial.key,
            trial=trial.to_json(),
            fields=self.fields(study),
            home=getattr(study, "home", ""),
            data_dir=settings["data_dir"],
            data_digest=settings["digest"],
            **places,
        )

    def again(
        self, line: TrialRecord, places: Mapping[str, Any], *, data_dir: Path, results_dir: Path, folder: str
    ) -> DenseTask:
        """Return the task that runs a recorded trial again."""
        return DenseTask(
            key=line.key,
            trial=line.trial,
            fields=self.kind.fields_of(line.trial[EXPERIMENT]),
            home=folder or os.getcwd(),
            data_dir=data_dir,
            data_digest=line.data_digest,
            **places,
        )

    def data_of(self, trial: Mapping[str, Any]) -> str:
        """Return the data set that a trial names."""
        return _data_name(trial[EXPERIMENT])


def _data_name(experiment: Mapping[str, Any]) -> str:
    return json.dumps([experiment[name] for name in ("data", "train", "test")])


def _dense(study: Study) -> DenseExperiment:
    assert isinstance(study.experiment, DenseExperiment)
    return study.experiment
