"""NetworkRunner: how the trainings of networks are run: data first, then workers with torch, longest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.planning.networks.batches import check_shares
from ablations.planning.networks.data_path import absolute_path
from ablations.planning.networks.data_spec import whole_data
from ablations.planning.networks.row import network_rows
from ablations.planning.networks.study import network_study
from ablations.planning.networks.trial import network_trial
from ablations.running.trials.inputs import InputData, Inputs
from ablations.running.trials.runner import Runner
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.networks.data_spec import DataSpec
    from ablations.planning.row import Row
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial
    from ablations.running.data import Prepared
    from ablations.running.machine.kernels import Kernels
    from ablations.running.record.image_labels import ImageLabels
    from ablations.running.record.trial_record import TrialRecord
    from ablations.running.training.network_task import NetworkTask


class NetworkRunner(Runner):
    """How the trainings of networks are run."""

    warm_up = "ablations.running.training.warm_up:warm_up"

    def prepare(self, design: Design, data_dir: Path, say: Callable[[str], None]) -> Inputs:
        """Make the images ready, and refuse batches that they cannot fill."""
        from ablations.running.data import ensure_prepared, prepared_path
        from ablations.running.training.pretrained import keep_weights
        from ablations.running.training.refusals.untrainable import possible_rows

        found: dict[str, InputData] = {}
        for spec in dict.fromkeys(row.data for row in network_rows(design.rows)):
            prepared = ensure_prepared(spec, data_dir, say)
            _check_batches(design, spec, len(prepared.train_labels))
            name, file = whole_data(spec.model_dump()), prepared_path(spec, data_dir)
            known = found.get(name, InputData(prepared.digest, file))
            found[name] = replace(known, labels=(*known.labels, *labels_of(prepared, spec)))
        keep_weights((w for row in possible_rows(design) if (w := row.recipe.weights)), data_dir)
        return Inputs(found)

    def task(
        self, study: Study, trial: Trial, places: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> NetworkTask:
        """Return a training as it is sent to a worker."""
        from ablations.running.training.network_task import NetworkTask

        return NetworkTask(
            key=trial.key,
            trial=trial.to_json(),
            data_dir=settings["data_dir"],
            kernels=settings["kernels"],
            processes=settings["processes"],
            latency=settings["latency"],
            data_digest=settings["digest"],
            images=network_trial(trial).data.images,
            keep_weights=study.keeps_weights,
            **places,
        )

    def again(
        self, line: TrialRecord, places: Mapping[str, Any], *, data_dir: Path, results_dir: Path, folder: str
    ) -> NetworkTask:
        """Return the task that trains a recorded network again: its kernels, precision and number of processes."""
        from ablations.running.machine.kernels import Kernels
        from ablations.running.training.network_task import NetworkTask

        # "auto" would take what this machine prefers; the record says what was taken
        recipe = {**line.trial["recipe"], "precision": line.environment.get("precision", "fp32")}
        return NetworkTask(
            key=line.written_as or line.key,  # it is in the outcomes, whose hash is compared
            trial={**line.trial, "recipe": recipe},
            data_dir=data_dir,
            kernels=Kernels.from_record(line.environment),
            processes=int(line.environment.get("processes", 1)),
            data_digest=line.data_digest or None,
            images=_images(line, data_dir, folder),
            **places,
        )

    def data_of(self, trial: Mapping[str, Any]) -> str:
        """Return the data set that a training names."""
        return whole_data(trial["data"])

    def ordered(
        self, trials: Sequence[Trial], row_of: Callable[[Trial], Row], *, workers: int
    ) -> list[Trial]:
        """Order trials with the most multiply-adds first within each seed."""
        from ablations.running.training.order import longest_first

        return longest_first(trials, row_of, workers=workers)

    def check_processes(self, design: Design, processes: int) -> None:
        """Refuse more processes than a batch of the study has images."""
        from ablations.planning.choices.arms import extreme_rows

        if processes < 1:
            raise UserError(f"`processes_per_trial` must be at least 1, got {processes}")
        for row in network_rows([*design.rows, *extreme_rows(design)]):
            check_shares(row.recipe.batch_size, processes)

    def missing(self, kernels: Kernels, processes: int = 1) -> Sequence[str]:
        """Compile the kernels before the workers ask for them, or say why there are none."""
        from ablations.running.machine.devices import choose_device
        from ablations.running.machine.kernels import FUSED

        device, usable = choose_device(), kernels.for_processes(processes)
        missing: dict[str, list[str]] = {}
        for words, reason in usable.missing(device).items():
            missing.setdefault(reason, []).append(words)
        if usable != kernels and device.type == "cpu":
            missing["they take a batch norm's statistics over the images of one process"] = [FUSED]
        return [
            f"training without {' and '.join(several)}, more slowly: {reason}"
            for reason, several in missing.items()
        ]


def _images(line: TrialRecord, data_dir: Path, folder: str) -> str | None:
    """Return where the images of an image-folder are, or were when the data of the trial were prepared."""
    from ablations.running.data.prepared import source_of

    path = line.trial["data"].get("path")
    if path is None:
        return None
    return source_of(line.data_digest, data_dir) or absolute_path(path, folder)


def _check_batches(design: Design, spec: DataSpec, train_images: int) -> None:
    from ablations.planning.choices.arms import extreme_rows
    from ablations.planning.networks.batches import check_batches

    study = network_study(design.study)
    left = train_images - (study.held_back if spec.train_images is None else 0)
    rows = network_rows([*design.rows, *extreme_rows(design)])
    check_batches(study, (row for row in rows if row.data == spec), left)


def labels_of(prepared: Prepared, spec: DataSpec) -> tuple[ImageLabels, ...]:
    """Return the labels of the test images; none for a study that never sees them."""
    from ablations.running.record.image_labels import ImageLabels

    if spec.validation_images is not None:
        return ()
    without_images = replace(prepared, test_images=prepared.test_labels)  # they would be read
    tested = without_images.subset(test_images=spec.test_images)
    return (ImageLabels(prepared.digest, prepared.classes, tested.test_labels.numpy()),)
