"""A Ray cluster of several nodes on this machine, for the tests of this folder and of the commands."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STORE_BYTES = 80 << 20


class SmallCluster:
    """A head with a core, and nodes that come and go."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, cpus: int, gpus: int = 0) -> Any:
        """Add a node; its GPUs exist in Ray's books only."""
        return self._cluster.add_node(num_cpus=cpus, num_gpus=gpus, object_store_memory=STORE_BYTES)

    def remove(self, node: Any) -> None:
        self._cluster.remove_node(node, allow_graceful=False)

    def shutdown(self) -> None:
        self._cluster.shutdown()


@contextmanager
def small_cluster() -> Iterator[SmallCluster]:
    """Have a cluster inside the block, with its files in a folder whose name is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    (folder / "ray").mkdir()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Ray's own: what its nodes write to
        warnings.simplefilter("ignore", DeprecationWarning)
        patch.setenv("RAY_TMPDIR", str(folder))
        patch.setenv("RAY_raylet_start_wait_time_s", "120")  # the machine may be busy with other things
        # a lost node is known for lost after 15 s: Ray hands its tasks out to it until then. Less would be a danger on
        # a busy machine, as a head that is taken for dead ends the tests' process
        patch.setenv("RAY_health_check_period_ms", "500")
        patch.setenv("RAY_health_check_failure_threshold", "30")
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # where the tests run from a checkout
        cluster = SmallCluster()
        try:
            yield cluster
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
