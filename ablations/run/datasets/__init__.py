"""Data sets by name: made ready once in a memory-mapped file, then shared by every worker."""

from ablations.run.datasets.names import (
    DATASETS,
    Dataset,
    data_spec,
    dataset,
    default_data_dir,
    prepared_path,
)
from ablations.run.datasets.preparation import ensure_prepared, open_prepared, prepare
from ablations.run.datasets.prepared import Prepared, load, verify

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
