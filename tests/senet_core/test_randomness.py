"""Named random streams: the same numbers everywhere, each stream its own, and global state untouched."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from senet_core.randomness import draw_noise_from, drawing_from, stream_seed

names = st.lists(st.text("abc.012", min_size=1) | st.integers(0, 99), max_size=3)


def drawn(seed: int | None, *name: str | int) -> Tensor:
    with drawing_from(seed, *name):
        return torch.randn(4)


def test_seeds_of_streams_stay_what_they_are() -> None:
    """Recorded: if these change, no recorded trial can be made again."""
    assert stream_seed(0, "backbone") == 8950541460452655600
    assert stream_seed(1, "gate", "layer1.0") == 158058024517224343


@given(st.integers(0, 2**64), names)
def test_seeds_of_streams_are_in_range(seed: int, name: list[str | int]) -> None:
    assert 0 <= stream_seed(seed, *name) < 2**63


def test_streams_differ_by_seed_and_by_every_part_of_their_name() -> None:
    streams = [
        (0, "a"),
        (1, "a"),
        (0, "b"),
        (0, "a", "b"),
        (0, "a", "c"),
        (0, "a", 1),
        (0, "a", 11),
        (0,),
        (0, 1),
    ]
    assert len({stream_seed(*stream) for stream in streams}) == len(streams)
    first, second = drawn(0, "a"), drawn(0, "b")
    assert not torch.equal(first, second)


def test_a_stream_gives_the_same_numbers_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = drawn(5, "a")
    torch.randn(100)
    assert torch.equal(drawn(5, "a"), first)


def test_streams_may_nest() -> None:
    alone = drawn(5, "outer")
    with drawing_from(5, "outer"):
        inner = drawn(5, "inner")
        outer = torch.randn(4)
    assert torch.equal(outer, alone)
    assert torch.equal(inner, drawn(5, "inner"))


def test_global_state_is_left_as_it_was_even_by_an_exception() -> None:
    before = torch.get_rng_state()
    drawn(0, "a")
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(RuntimeError, match="normal expects"), drawing_from(0, "a"):
        torch.normal(torch.randn(1), -1.0)
    assert torch.equal(torch.get_rng_state(), before)


def test_zero_is_a_seed_and_none_is_the_global_generator() -> None:
    torch.manual_seed(1)
    first = drawn(None, "a")
    torch.manual_seed(1)
    assert torch.equal(torch.randn(4), first)
    assert torch.equal(drawn(0, "a"), drawn(0, "a"))
    assert not torch.equal(drawn(None, "a"), drawn(None, "a"))


def test_noise_layers_get_the_generator_and_others_are_left_alone() -> None:
    class Noise(nn.Module):
        generator: torch.Generator | None = None

    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(Noise()), Noise())
    generator = torch.Generator()
    draw_noise_from(model, generator)
    assert model[1][0].generator is generator
    assert model[2].generator is generator
    assert not hasattr(model[0], "generator")
    draw_noise_from(model, None)
    assert model[2].generator is None
