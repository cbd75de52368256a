"""What an entry reads of what it is given: a reduction ratio that a gate does not read ablates nothing.

It is measured, not declared: two are built with different widths and equal parameters, and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from senet_core.blocks.slots import BLOCKS, GATES

_CHANNELS, _WIDTHS = 16, (2, 4)


def reads_width(*, block: str, gate: str) -> bool:
    """Return whether a block made of these entries has a bottleneck, whose width the reduction ratio sets."""
    return gate_reads_width(gate) if block == "se" else block_reads_width(block)


def gate_reads_width(name: str) -> bool:
    """Return whether a registered gate network computes something else with another width.

    Raises:
        UserError: the name is not registered.
    """
    entry = GATES[name]
    return _differ(entry.build, _descriptors(entry.traits["descriptors"]), bias=True)


def block_reads_width(name: str) -> bool:
    """Return whether a registered block computes something else with another width.

    Raises:
        UserError: the name is not registered.
    """
    return _differ(BLOCKS[name].build, (2, _CHANNELS, 5, 5))


def _descriptors(number: int) -> tuple[int, ...]:
    return (4, _CHANNELS) if number == 1 else (4, number, _CHANNELS)


@cache
def _differ(build: Callable[..., Any], shape: tuple[int, ...], **given: Any) -> bool:
    """Return whether two of different widths differ; those that cannot be compared are taken to."""
    import torch

    from senet_core.randomness import drawing_from

    try:
        with torch.device("cpu"), torch.no_grad(), drawing_from(0, "width"):
            one, other = (build(_CHANNELS, width=width, **given).eval() for width in _WIDTHS)
            other.load_state_dict(one.state_dict())
            x = torch.randn(shape)
            return not torch.equal(one(x), other(x))
    except Exception:  # of a plug-in; shapes that differ with the width are an error, too
        return True
