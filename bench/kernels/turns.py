"""Two ways to compute one thing, timed in turns: processor time of a forward and a backward pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from torch import Tensor

WARM_UP = 2


def spent_ms(forward: Callable[[], Tensor], upstream: Tensor, fresh: Sequence[Tensor] = ()) -> float:
    """Return the milliseconds of a forward and a backward pass; the gradients of `fresh` are made anew."""
    for value in fresh:
        value.grad = None
    started = time.process_time()
    forward().backward(upstream)  # type: ignore[no-untyped-call]
    return 1e3 * (time.process_time() - started)


def in_turns(
    rounds: int, usual: Callable[[], float], ours: Callable[[], float]
) -> tuple[float, float, float]:
    """Return the median milliseconds of both ways, and the median over rounds of the usual way's by ours."""
    times = [(usual(), ours()) for _ in range(WARM_UP + rounds)][WARM_UP:]
    found = (*map(median, zip(*times, strict=True)), median(u / o for u, o in times))
    first, second, ratio = (round(value, 2) for value in found)
    return first, second, ratio
