"""What stands beside the lines of trials: outcomes, labels of images, weights; the record names whatever they hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import deserialize

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.doctor.outcomes import check_outcomes
from ablations.running.doctor.weights import check_weights
from ablations.running.record.image_labels import ImageLabels, labels_file
from ablations.running.record.outcomes import Outcomes, hash_of, outcomes_file, write_kept
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import hash_of_weights, pack_weights, weights_file
from ablations.running.training.building import kept_network
from senet_core.model import build_model
from senet_core.variants.variant import PAPER_SE

KEY, DIGEST, IMAGES = "0123456789abcdef", "d" * 64, 40


def outcomes(here: Path) -> Sequence[bytes]:
    rights = (np.arange(IMAGES) % 4 != 0, np.ones(IMAGES, np.bool_))
    return [Outcomes(KEY, DIGEST, right).to_bytes() for right in rights]


def labels(here: Path) -> Sequence[bytes]:
    _record(here, outcomes(here)[0])
    names = ("cat", "dog", "ship")
    return [ImageLabels(DIGEST, names[:number], np.arange(IMAGES) % number).to_bytes() for number in (1, 3)]


def read_outcomes(here: Path, data: bytes, number: int) -> None:
    """Read a changed file whose hash the record has, as after a wrong hand: the hash alone must not be believed."""
    paths = _record(here, data)
    list(check_outcomes(paths, fix=False))
    right = paths.open_record().outcomes(KEY)
    assert right is None or (len(right) == IMAGES and np.count_nonzero(~right) == 10)


def read_labels(here: Path, data: bytes, number: int) -> None:
    paths = StudyPaths("small", here / "results", here / "reports")
    labels_file(paths.results, DIGEST, IMAGES).write_bytes(data)
    list(check_outcomes(paths, fix=False))
    found = paths.open_record().labels(KEY)
    assert found is None or (len(found.labels) == IMAGES and found.labels.max() < len(found.classes))


def _record(here: Path, content: bytes) -> StudyPaths:
    paths = StudyPaths("small", here / "results", here / "reports")
    shutil.rmtree(paths.results, ignore_errors=True)
    line = TrialRecord.from_line(
        json.dumps({**_LINE, "result": {**_RESULT, "outcomes_sha256": hash_of(content)}})
    )
    path = outcomes_file(paths.results, line)
    assert path is not None
    write_kept(path, content)
    TrialFile(paths.record).append(line)
    return paths


def kept_weights(here: Path) -> Sequence[bytes]:
    about = {"key": KEY, "num_classes": "10", "in_channels": "1"}
    networks = [build_model("resnet8", PAPER_SE, num_classes=10, in_channels=1, seed=seed) for seed in (0, 1)]
    return [pack_weights(network.state_dict(), about) for network in networks]


def read_kept_weights(here: Path, data: bytes, number: int) -> None:
    """Read changed weights whose hash the record has, as after a wrong hand."""
    paths = StudyPaths("small", here / "results", here / "reports")
    shutil.rmtree(paths.results, ignore_errors=True)
    held = hash_of(data)
    with suppress(Exception):
        held = hash_of_weights((name, tensor["data"]) for name, tensor in deserialize(data))
    line = TrialRecord.from_line(json.dumps({**_LINE, "result": {**_RESULT, "weights_sha256": held}}))
    line = replace(
        line, trial=NetworkTrial("resnet8", PAPER_SE, DataSpec(name="digits"), Recipe(epochs=1), 0).to_json()
    )
    path = weights_file(paths.results, line)
    assert path is not None
    write_kept(path, data)
    TrialFile(paths.record).append(line)
    list(check_weights(paths, fix=False))
    kept_network(paths.results, line)


_RESULT = {
    "top1_error": 25.0, "top5_error": None, "test_loss": 0.4, "train_loss": 0.3, "train_error": 9.0,
    "parameters": 10, "multiply_adds": 20, "bottleneck_widths": {}, "train_seconds": 1.0, "test_seconds": 1.0,
    "peak_memory_mib": 1.0, "weights_sha256": "0" * 64,
}  # fmt: skip
_LINE = {
    "schema": 1, "key": KEY, "study": "small", "status": "finished", "trial": {"data": {"name": "digits"}, "seed": 0},
    "history": [], "failure": None, "environment": {}, "data_digest": DIGEST, "data_note": "",
    "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:01:00+00:00",
}  # fmt: skip
