"""Agreement of networks: on how many images two are both right or both wrong, and which images all of them miss.

Two variants of one error may get the same images right or different ones. What there is to compare it with is the
agreement of two seeds of one variant, which differ by chance alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from senet_core.errors import UserError

_Bits = NDArray[np.bool_]


def agreement(one: _Bits, other: _Bits) -> float:
    """Return the share of images on which two variants are both right or both wrong, averaged over seeds.

    Args:
        one: (seeds, images), True where that seed's run got that image right.
        other: the same of another variant, with the same seeds and images in the same order.

    Raises:
        UserError: the two are not of one shape, or have no image.
    """
    if one.shape != other.shape or one.size == 0:
        raise UserError(f"outcomes that are compared need one shape, got {one.shape} and {other.shape}")
    return float((one == other).mean())


def agreement_of_seeds(right: _Bits) -> float | None:
    """Return the share of images on which two seeds of a variant agree, over all pairs; None below two seeds.

    Args:
        right: (seeds, images), True where that seed's run got that image right.
    """
    seeds, images = right.shape
    if seeds < 2 or images == 0:
        return None
    know = right.sum(axis=0, dtype=np.int64)
    pairs = know * (know - 1) + (seeds - know) * (seeds - know - 1)
    return float(pairs.sum() / (seeds * (seeds - 1) * images))


def always_missed(variants: Iterable[_Bits]) -> _Bits:
    """Return for each image whether every seed of every variant gets it wrong: (images,) bool.

    Args:
        variants: at least one; (seeds, images) each, their seeds may be others.
    """
    known: _Bits = np.any([right.any(axis=0) for right in variants], axis=0)
    return ~known
