"""A batch norm over several processes is the batch norm of the whole batch. The processes are threads here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ablations.running.training.processes import batch_norm
from ablations.running.training.processes.batch_norm import SharedBatchNorm

SHARES = {"equal": (4, 4), "unequal": (1, 7), "three": (2, 3, 3)}


class Sums:
    """What adds up tensors of as many threads, in place of processes."""

    def __init__(self, size: int) -> None:
        self._meeting, self._lock = threading.Barrier(size, timeout=30), threading.Lock()
        self._given: list[Tensor] = []

    def all_reduce(self, value: Tensor) -> None:
        with self._lock:
            self._given.append(value.clone())
        self._meeting.wait()
        value.copy_(torch.stack(self._given).sum(0))
        if self._meeting.wait() == 0:
            self._given.clear()
        self._meeting.wait()


def _shared(
    parts: list[Tensor], compute: Callable[[int, Tensor], Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Compute on each part in a thread of its own, with shared batch norms."""
    monkeypatch.setattr(batch_norm.dist, "all_reduce", Sums(len(parts)).all_reduce)

    def one(rank: int) -> Any:
        with SharedBatchNorm():
            return compute(rank, parts[rank])

    with ThreadPoolExecutor(len(parts)) as threads:
        return list(threads.map(one, range(len(parts))))


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.BatchNorm2d(6), (6, 3, 5)),
        (lambda: nn.BatchNorm1d(6), (6,)),
        (lambda: nn.BatchNorm2d(6, affine=False), (6, 3, 5)),
        (lambda: nn.BatchNorm2d(6, track_running_stats=False), (6, 3, 5)),
        (lambda: nn.BatchNorm2d(6, momentum=None, eps=0.1), (6, 3, 5)),
    ],
    ids=["2d", "1d", "no weights", "no statistics", "other settings"],
)
def test_values_gradients_and_statistics_are_those_of_the_whole_batch(
    layer: Callable[[], nn.Module],
    shape: tuple[int, ...],
    shares: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = torch.Generator().manual_seed(0)
    x, wanted = (torch.randn(8, *shape, generator=generator) * 3 + 1 for _ in range(2))
    if x.dim() == 4:
        x = x.contiguous(memory_format=torch.channels_last)

    def of(images: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, nn.Module]:
        norm = layer()
        if norm.affine:
            nn.init.constant_(norm.weight, 0.7)
        images = images.clone().requires_grad_()
        out = norm(images)
        (out * wanted).sum().backward()
        assert images.grad is not None
        return out.detach(), images.grad, norm

    out, gradient, norm = of(x, wanted)
    targets = wanted.split(shares)
    found = _shared(list(x.split(shares)), lambda rank, part: of(part, targets[rank]), monkeypatch)
    torch.testing.assert_close(torch.cat([part for part, _, _ in found]), out, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.cat([part for _, part, _ in found]), gradient, rtol=1e-4, atol=1e-6)
    for name, parameter in norm.named_parameters():
        own = sum(dict(each.named_parameters())[name].grad for _, _, each in found)
        torch.testing.assert_close(own, parameter.grad, rtol=1e-5, atol=1e-5)
    for name, buffer in norm.named_buffers():
        for _, _, each in found:  # all processes have the same ones
            torch.testing.assert_close(dict(each.named_buffers())[name], buffer)


def test_bfloat16_stays_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(4, 6, 3, 5, generator=torch.Generator().manual_seed(0)).bfloat16()

    def compute(_: int, part: Tensor) -> Tensor:
        part = part.clone().requires_grad_()
        out = nn.BatchNorm2d(6)(part)
        out.sum().backward()
        assert part.grad is not None
        assert part.grad.dtype is torch.bfloat16
        return out.detach()

    whole = nn.BatchNorm2d(6)(x)
    found = torch.cat(_shared([x[:1], x[1:]], compute, monkeypatch))
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found, whole, rtol=0.02, atol=0.02)


def test_a_batch_norm_in_evaluation_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a frozen one: its statistics are its own, and all processes have the same ones."""
    monkeypatch.setattr(batch_norm.dist, "all_reduce", lambda value: pytest.fail("it asked"))
    norm, x = nn.BatchNorm2d(3).eval(), torch.randn(2, 3, 4, 4)
    with SharedBatchNorm():
        assert torch.equal(
            norm(x), F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        assert torch.equal(torch.relu(x), x.clamp_min(0))
