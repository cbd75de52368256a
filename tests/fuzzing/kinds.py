"""What a stranger can hand over, a kind each: valid files, how they are changed, and who reads them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import of_data
import of_kernels
import of_outcomes
import of_plugins
import of_studies
import of_training
from mutations import mutate_bytes, mutate_json, mutate_yaml


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        prepare: makes what stands around the file in a folder; returns valid contents.
        read: puts a content into the folder and reads it as the commands do, given the number of the input, too.
        mutate: returns a content that was changed.
    """

    prepare: Callable[[Path], Sequence[bytes]]
    read: Callable[[Path, bytes, int], None]
    mutate: Callable[[random.Random, Sequence[bytes]], bytes] = mutate_bytes


KINDS = {
    "study": Kind(of_studies.studies, of_studies.read_study, mutate_yaml),
    "set": Kind(of_studies.overrides, of_studies.read_override),
    "csv": Kind(of_studies.tables, of_studies.read_csv),
    "record": Kind(
        of_studies.side_files("trials.jsonl"), of_studies.read_side_file("trials.jsonl"), mutate_json
    ),
    "interim-plans": Kind(
        of_studies.side_files("looks.jsonl"), of_studies.read_side_file("looks.jsonl"), mutate_json
    ),
    "proposals": Kind(
        of_studies.side_files("proposals.jsonl"), of_studies.read_side_file("proposals.jsonl"), mutate_json
    ),
    "outcomes": Kind(of_outcomes.outcomes, of_outcomes.read_outcomes),
    "labels": Kind(of_outcomes.labels, of_outcomes.read_labels),
    "forecast": Kind(of_studies.forecasts, of_studies.read_forecast, mutate_json),
    "request": Kind(of_studies.requests, of_studies.read_request, mutate_json),
    "progress": Kind(of_training.progress, of_training.read_progress, mutate_json),
    "lease": Kind(of_training.leases, of_training.read_lease, mutate_json),
    "library": Kind(of_kernels.library, of_kernels.read_library),
    "checkpoint": Kind(of_training.checkpoints, of_training.read_checkpoint),
    "kept-weights": Kind(of_outcomes.kept_weights, of_outcomes.read_kept_weights),
    "weights": Kind(of_training.weights, of_training.read_weights),
    "safetensors": Kind(of_training.safetensors, of_training.read_safetensors),
    "prepared": Kind(of_data.prepared, of_data.read_prepared),
    "tar": Kind(of_data.archives("tar"), of_data.read_archive("a.tar")),
    "tar.gz": Kind(of_data.archives("gztar"), of_data.read_archive("a.tar.gz")),
    "zip": Kind(of_data.archives("zip"), of_data.read_archive("a.zip")),
    "cifar": Kind(of_data.batches, of_data.read_batch),
    "idx": Kind(of_data.idx_files, of_data.read_idx),
    "image": Kind(of_data.images, of_data.read_image),
    "plugin": Kind(of_plugins.messages, of_plugins.load, of_plugins.mutate),
}
