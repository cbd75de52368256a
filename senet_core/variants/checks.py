"""What the fields of a variant may hold; equal values are brought into one form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from senet_core.errors import UserError

Reduction = int | tuple[tuple[int, int], ...]


def checked_stages(stages: object) -> tuple[int, ...] | None:
    """Return stage numbers in ascending order; None for all of them.

    Raises:
        UserError: they are not numbers, there are none, or one is named twice.
    """
    if stages is None or stages == "all":
        return None
    if isinstance(stages, int) and not isinstance(stages, bool):
        stages = (stages,)
    if not isinstance(stages, (tuple, list)) or not all(_is_whole(stage) for stage in stages):
        raise UserError(f"stages must be 'all' or a list of stage numbers, got {stages!r}")
    if not stages:
        raise UserError(
            "stages is empty; name at least one stage, or use 'plain' for the network without blocks"
        )
    if len(set(stages)) < len(stages):
        raise UserError(f"stages names a stage twice: {stages!r}")
    return tuple(sorted(stages))


def checked_reduction(reduction: object) -> Reduction:
    """Return a ratio, or (stage, ratio) pairs in ascending order.

    Raises:
        UserError: a ratio is not a whole number of at least 1, or a stage is named twice.
    """
    if isinstance(reduction, Mapping):
        reduction = tuple(reduction.items())
    if _is_whole(reduction):
        ratios: list[object] = [reduction]
    elif isinstance(reduction, (tuple, list)) and reduction:
        if not all(
            isinstance(pair, (tuple, list)) and len(pair) == 2 and _is_whole(pair[0]) for pair in reduction
        ):
            raise UserError(
                f"reduction must be a whole number, or one for each stage (2: 8, 3: 16), got {reduction!r}"
            )
        if len({stage for stage, _ in reduction}) < len(reduction):
            raise UserError(f"reduction names a stage twice: {reduction!r}")
        ratios = [ratio for _, ratio in reduction]
    else:
        raise UserError(
            f"reduction must be a whole number of at least 1, or one for each stage, got {reduction!r}"
        )
    for ratio in ratios:
        if not _is_whole(ratio) or ratio < 1:  # type: ignore[operator]
            raise UserError(f"reduction must be a whole number of at least 1, got {ratio!r}")
    if isinstance(reduction, int):
        return reduction
    return tuple(sorted((stage, ratio) for stage, ratio in reduction))  # type: ignore[attr-defined]


def checked_opening(opening: object, *, bias: bool) -> float | None:
    """Return where the bias of the logits starts; None for none.

    Raises:
        UserError: it is no finite number, or the gate's layers have biases already.
    """
    if opening is None or opening == "none":
        return None
    if isinstance(opening, bool) or not isinstance(opening, (int, float)) or not math.isfinite(opening):
        raise UserError(
            f"opening must be a number, where the bias of the logits starts, or none, got {opening!r}"
        )
    if bias:
        raise UserError(
            "opening is a bias of the logits, and with bias: true they have one: leave one of the two out"
        )
    return float(opening)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def joined(numbers: Iterable[int]) -> str:
    """Return numbers in a row: "2,3"."""
    return ",".join(map(str, numbers))
