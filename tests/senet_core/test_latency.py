"""Times are taken in turn, of the networks as they are asked for, and summed up without a mean."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from senet_core import UserError, latency
from senet_core.latency import Latency, measure_latency, summed_up, using_threads


class Watched(nn.Module):
    """Remembers who was called with what."""

    def __init__(self, name: str, calls: list[tuple[str, tuple[int, ...], torch.dtype]]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.name, self.calls = name, calls

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.calls.append((self.name, tuple(x.shape), x.dtype))
        y: Tensor = self.conv(x)
        return y


def timed(**changes: object) -> tuple[dict[str, Latency], list[tuple[str, tuple[int, ...], torch.dtype]]]:
    calls: list[tuple[str, tuple[int, ...], torch.dtype]] = []
    models = {name: Watched(name, calls) for name in ("plain", "se")}
    given = {"batch_shape": (1, 3, 8, 8), "repetitions": 3, "warm_up": 2, **changes}
    return measure_latency(models, **given), calls  # type: ignore[arg-type]


def test_networks_take_turns_after_the_warm_up() -> None:
    taken, calls = timed(batch_shape=(5, 3, 8, 8))
    assert [name for name, _, _ in calls] == ["plain", "se"] * (2 + 3)
    assert {shape for _, shape, _ in calls} == {(5, 3, 8, 8)}
    assert [len(taken[name].milliseconds) for name in ("plain", "se")] == [3, 3]
    assert all(time > 0 for time in taken["se"].milliseconds)
    assert (taken["se"].batch, taken["se"].precision, taken["se"].device) == (5, "fp32", "cpu")


def test_bf16_is_the_type_of_maps_and_weights() -> None:
    taken, calls = timed(precision="bf16")
    assert {dtype for _, _, dtype in calls} == {torch.bfloat16}
    assert taken["plain"].precision == "bf16"


def test_threads_are_set_said_and_put_back() -> None:
    before = torch.get_num_threads()
    taken, _ = timed(threads=2)
    assert taken["plain"].threads == 2
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), using_threads(2):
        _ = 1 / 0
    assert torch.get_num_threads() == before


def test_where_time_is_limited_three_rounds_are_left() -> None:
    taken, calls = timed(repetitions=9, limit_seconds=0)
    assert len(taken["plain"].milliseconds) == 3
    assert len(calls) == 2 * (1 + 3)


def test_draws_no_global_random_numbers() -> None:
    before = torch.get_rng_state()
    models = {"one": nn.Conv2d(3, 2, 3)}
    state = torch.get_rng_state()
    measure_latency(models, batch_shape=(1, 3, 8, 8), repetitions=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.set_rng_state(before)


def test_the_clock_is_read_around_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by 1, 2, 3, ... seconds whenever it is read."""
    ticks = itertools.accumulate(itertools.count(1))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: float(next(ticks)))
    taken, _ = timed(warm_up=0, repetitions=2)
    # read once for the limit; then each pass lasts as long as the step to its second reading
    assert taken["plain"].milliseconds == (3000.0, 7000.0)
    assert taken["se"].milliseconds == (5000.0, 9000.0)


def latency_of(*milliseconds: float) -> Latency:
    return Latency(1, "fp32", "cpu", 1, milliseconds)


def test_median_and_quartiles_by_hand() -> None:
    assert latency_of(5, 1, 3, 2, 4).median == 3
    assert latency_of(5, 1, 3, 2, 4).quartiles == (2, 4)
    assert latency_of(7).quartiles == (7, 7)


def test_slower_by_the_median_of_ratios_within_rounds() -> None:
    """The machine was twice as slow in the second round: the ratio is 1.1 all the same."""
    assert latency_of(11, 22, 44).over(latency_of(10, 20, 40)) == pytest.approx(10)
    with pytest.raises(ValueError, match="zip"):
        latency_of(1).over(latency_of(1, 2))


def test_summed_up_in_a_clause() -> None:
    few, many = latency_of(1, 1, 1), latency_of(*[1] * 10)
    assert summed_up([many]) == "on the processor with 1 thread, 10 passes in turn after a warm-up"
    assert summed_up([many, few]) == "on the processor with 1 thread, 3 to 10 passes in turn after a warm-up"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "fp16"}, "precision is one of fp32, bf16, got 'fp16'"),
        ({"batch_shape": (0, 3, 8, 8)}, "batch must be at least 1, got 0"),
        ({"repetitions": 0}, "repetitions must be at least 1, got 0"),
        ({"warm_up": -1}, "warm_up must be at least 0, got -1"),
    ],
)
def test_refuses_what_is_out_of_range(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        timed(**changes)
