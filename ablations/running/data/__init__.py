"""Data sets by name: prepared once as a memory-mapped file, which all workers share."""

from ablations.running.data.content import verify
from ablations.running.data.keeping_up import ensure_prepared, refresh
from ablations.running.data.paths import data_spec, prepared_path
from ablations.running.data.preparation import open_prepared, prepare, prepared_digests
from ablations.running.data.prepared import Prepared, load

__all__ = [
    "Prepared",
    "data_spec",
    "ensure_prepared",
    "load",
    "open_prepared",
    "prepare",
    "prepared_digests",
    "prepared_path",
    "refresh",
    "verify",
]
