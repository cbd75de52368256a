"""What a trial needs is compared with what the nodes have, and an address is tried, before Ray can wait for ever."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from ablations.running.executors.ray_cluster import Needs, Node, check_answers, import_ray, trials_at_a_time
from senet_core.errors import UserError

NODES = [Node("a", 4, 0), Node("b", 8, 2)]


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(), 12),
        (Needs(cpus=3), 3),
        (Needs(gpus=1), 2),
        (Needs(gpus=0.3), 6),  # three on each: a share lies on one GPU
        (Needs(gpus=0.5), 4),
        (Needs(cpus=4, gpus=0.5), 2),
        (Needs(gpus=2), 1),
    ],
)
def test_how_many_trials_fit(needs: Needs, expected: int) -> None:
    assert trials_at_a_time(needs, NODES) == expected


def test_what_no_node_has_is_refused_with_what_they_have() -> None:
    with pytest.raises(
        UserError,
        match=r"a trial asks for 1 CPU and 1 GPU, and no node of the Ray cluster has that \(a: 4 CPUs and 0 GPUs\)",
    ):
        trials_at_a_time(Needs(gpus=1), NODES[:1])
    with pytest.raises(UserError, match="asks for 12 CPUs and 0 GPUs"):  # both together have them
        trials_at_a_time(Needs(cpus=12), NODES)
    with pytest.raises(UserError, match="--gpus-per-trial above 1 must be a whole number"):
        Needs(gpus=1.5)
    with pytest.raises(UserError, match="--gpus-per-trial must be a number, got nan"):
        Needs(gpus=float("nan"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:{closed}", r"nobody answers at the Ray address 127\.0\.0\.1:\d+: .*refused"),
        ("127.0.0.1:99999", "nobody answers at the Ray address 127.0.0.1:99999"),
        (
            "ray://head:10001",
            "--ray-address takes HOST:PORT of the cluster's head, or auto; got 'ray://head:10001'",
        ),
        ("head", "--ray-address takes HOST:PORT of the cluster's head, or auto; got 'head'"),
    ],
)
def test_an_address_at_which_nobody_is_is_refused_at_once(address: str, message: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(UserError, match=message):
        check_answers(address.format(closed=closed))
    assert time.monotonic() - started < 10


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r'pip install "senet-ablations\[ray\]"'):
        import_ray()
