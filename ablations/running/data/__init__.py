"""Data sets by name: made ready once in a memory-mapped file, then shared by every worker."""

from ablations.running.data.paths import (
    DATASETS,
    Dataset,
    data_spec,
    dataset,
    default_data_dir,
    prepared_path,
)
from ablations.running.data.preparation import ensure_prepared, open_prepared, prepare
from ablations.running.data.prepared import Prepared, load, verify

__all__ = [
    "DATASETS",
    "Dataset",
    "Prepared",
    "data_spec",
    "dataset",
    "default_data_dir",
    "ensure_prepared",
    "load",
    "open_prepared",
    "prepare",
    "prepared_path",
    "verify",
]
