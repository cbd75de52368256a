"""PruningRunner and PruningTask: how trials of pruning are run: data first, and the weights of another study."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.experiments.pruning.kept import kept_line
from ablations.experiments.pruning.kind import Pruning, PruningPlaces
from ablations.planning.factors.trial import EXPERIMENT
from ablations.planning.networks.data_spec import whole_data
from ablations.running.data.paths import prepared_path
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import choose_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.machine.packages import package_version
from ablations.running.trials.experiment_task import ExperimentTask
from ablations.running.trials.inputs import InputData, Inputs
from ablations.running.trials.runner import Runner
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial
    from ablations.running.record.trial_record import TrialRecord


@dataclass(frozen=True, kw_only=True)
class PruningTask(ExperimentTask):
    """One trial of pruning.

    Attributes:
        data_dir: where the prepared data sets are.
        results_dir: holds the study that has trained the networks.
        images: where this machine has the images of an image-folder; None for other data.
    """

    data_dir: Path
    results_dir: Path
    images: str | None = None

    def experiment(self) -> Pruning:
        """Make the experiment again; a network that is not there ends the sweep, as it would the next trial.

        Raises:
            RecordError: the network is not there.
        """
        found = super().experiment()
        assert isinstance(found, Pruning)
        kept_line(found.trained, self.trial["seed"], self.results_dir)
        return found.placed(PruningPlaces(self.results_dir, self.data_dir, self.data_digest, self.images))

    def environment(self, threads: int) -> dict[str, Any]:
        """Return where it runs, as of a training, with the version of what prunes."""
        line = kept_line(self.experiment().trained, self.trial["seed"], self.results_dir)
        device, precision = choose_device(), line.trial["recipe"]["precision"]
        settings = prepare_device(device, precision)
        settings.pop(
            "deterministic", None
        )  # nobody notes here which operations are not, so it is not promised
        return {
            **describe_environment(device=device, precision=precision, threads=threads, kernels=NO_KERNELS),
            **settings,
            "torch-pruning": package_version("torch-pruning"),
        }

    def on_this_node(self, shared_data: Callable[[str], Path] | None) -> PruningTask:
        """Return the task with the folder of the data on another machine."""
        found = super().experiment()
        assert isinstance(found, Pruning)
        path = prepared_path(found.trained.row.data.located(self.images), self.data_dir)
        if path.exists():
            return self
        if shared_data is None:
            raise UserError(
                f"this node does not see the prepared data {path}: give a folder that all nodes share with"
                " `data_dir`, or `ray_data=object-store`"
            )
        return replace(self, data_dir=shared_data(path.name))


class PruningRunner(Runner):
    """How trials of pruning are run."""

    def prepare(self, design: Design, data_dir: Path, say: Callable[[str], None]) -> Inputs:
        """Make the images ready."""
        from ablations.running.data import ensure_prepared
        from ablations.running.training.runner import labels_of

        spec = _pruning(design.study).trained.row.data
        prepared = ensure_prepared(spec, data_dir, say)
        found = InputData(prepared.digest, prepared_path(spec, data_dir), labels_of(prepared, spec))
        return Inputs({whole_data(spec.model_dump()): found})

    def task(
        self, study: Study, trial: Trial, places: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> PruningTask:
        """Return a trial as it is sent to a worker."""
        return PruningTask(
            key=trial.key,
            trial=trial.to_json(),
            fields=self.fields(study),
            home=getattr(study, "home", ""),
            data_dir=settings["data_dir"],
            data_digest=settings["digest"],
            results_dir=places["running_dir"].parent.parent,
            images=_pruning(study).trained.row.data.images,
            **places,
        )

    def again(
        self, line: TrialRecord, places: Mapping[str, Any], *, data_dir: Path, results_dir: Path, folder: str
    ) -> PruningTask:
        """Return the task that runs a recorded trial again."""
        home = folder or os.getcwd()
        fields = self.kind.fields_of(line.trial[EXPERIMENT])
        experiment = self.kind.from_fields(fields, home)
        assert isinstance(experiment, Pruning)
        return PruningTask(
            key=line.key,
            trial=line.trial,
            fields=fields,
            home=home,
            data_dir=data_dir,
            data_digest=line.data_digest,
            results_dir=results_dir,
            images=experiment.trained.row.data.images,
            **places,
        )

    def data_of(self, trial: Mapping[str, Any]) -> str:
        """Return the data set that the network was trained on."""
        return whole_data(trial[EXPERIMENT]["trained"]["data"])


def _pruning(study: Study) -> Pruning:
    assert isinstance(study.experiment, Pruning)
    return study.experiment
