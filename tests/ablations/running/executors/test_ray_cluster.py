"""What a trial needs is compared with what the nodes have, and an address is tried, before Ray can wait for ever."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.running.executors import ray_cluster
from ablations.running.executors.ray_cluster import (
    Node,
    Resources,
    check_reachable,
    import_ray,
    trials_at_a_time,
)
from ablations.running.machine.holder import Holder
from senet_core.errors import UserError

NODES = [Node("a", 4, 0), Node("b", 8, 2)]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (Resources(), 12),
        (Resources(cpus=3), 3),
        (Resources(gpus=1), 2),
        (Resources(gpus=0.3), 6),  # three on each: a share lies on one GPU
        (Resources(gpus=0.5), 4),
        (Resources(cpus=4, gpus=0.5), 2),
        (Resources(gpus=2), 1),
    ],
)
def test_how_many_trials_fit(resources: Resources, expected: int) -> None:
    assert trials_at_a_time(resources, NODES) == expected


def test_what_no_node_has_is_refused_with_what_they_have() -> None:
    with pytest.raises(
        UserError,
        match=r"a trial asks for 1 CPU and 1 GPU, and no node of the Ray cluster has that \(a: 4 CPUs and 0 GPUs\)",
    ):
        trials_at_a_time(Resources(gpus=1), NODES[:1])
    with pytest.raises(UserError, match="asks for 12 CPUs and 0 GPUs"):  # both together have them
        trials_at_a_time(Resources(cpus=12), NODES)
    with pytest.raises(UserError, match="`gpus_per_trial` above 1 must be a whole number"):
        Resources(gpus=1.5)
    with pytest.raises(UserError, match="`gpus_per_trial` must be a number, got nan"):
        Resources(gpus=float("nan"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:{closed}", r"nobody answers at the Ray address 127\.0\.0\.1:\d+: .*refused"),
        ("127.0.0.1:99999", "nobody answers at the Ray address 127.0.0.1:99999"),
        (
            "ray://head:10001",
            "`ray_address` takes HOST:PORT of the cluster's head, or auto; got 'ray://head:10001'",
        ),
        ("head", "`ray_address` takes HOST:PORT of the cluster's head, or auto; got 'head'"),
    ],
)
def test_an_address_at_which_nobody_is_is_refused_at_once(address: str, message: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(UserError, match=message):
        check_reachable(address.format(closed=closed))
    assert time.monotonic() - started < 10


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r'pip install "senet-ablations\[ray\]"'):
        import_ray()


def test_the_sessions_of_killed_drivers_are_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(ray_cluster, "LONGEST_FOLDER", 1000)
    here = Holder.this_process()
    for name, holder in (("dead", replace(here, pid=2**22 + 5, start=1)), ("living", here)):
        (tmp_path / f"ray-{name}").mkdir()
        (tmp_path / f"ray-{name}" / "ablate-holder.json").write_text(holder.to_text())
    (tmp_path / "ray-of-another-program").mkdir()
    (tmp_path / "ray-link").symlink_to(tmp_path / "ray-dead")
    made = ray_cluster._short_folder()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"ray-living", "ray-of-another-program", "ray-link", made.name}
