"""Agreement of networks: on how many images two are both right or both wrong, and which images all of them miss.

Two variants of one error may get the same images right or different ones. With p and q their chances to get an image
right, the mean agreement of two runs of the one and of two of the other is that of a run of each plus the mean of
(p - q)^2 over images: only where it is larger do they differ in which images they get right. All runs that are compared
have different seeds, as runs of one seed share first weights and batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from senet_core.errors import UserError

_Bits = NDArray[np.bool_]


def agreement(one: Mapping[int, _Bits], other: Mapping[int, _Bits]) -> float | None:
    """Return the share of images on which runs of two variants are both right or both wrong.

    Args:
        one: (images,) by seed, True where that seed's run got that image right.
        other: the same of another variant, or of the same, with the same images in the same order.

    Returns:
        The mean over all pairs of a run of each with different seeds; None where there is no such pair.

    Raises:
        UserError: the two have other numbers of images, or none.
    """
    common = one.keys() & other.keys()
    pairs = len(one) * len(other) - len(common)
    if not pairs:
        return None
    first, second = (np.stack([*found.values()]) for found in (one, other))
    if first.shape[1:] != second.shape[1:] or first.size == 0:
        raise UserError(
            f"outcomes that are compared need the same images, got {first.shape} and {second.shape}"
        )
    right, also = first.sum(axis=0, dtype=np.int64), second.sum(axis=0, dtype=np.int64)
    alike = right * also + (len(one) - right) * (len(other) - also)
    of_one_seed = sum(int((one[seed] == other[seed]).sum()) for seed in common)
    return float((int(alike.sum()) - of_one_seed) / (pairs * first.shape[1]))


def always_missed(variants: Iterable[_Bits]) -> _Bits:
    """Return for each image whether every seed of every variant gets it wrong: (images,) bool.

    Args:
        variants: at least one; (seeds, images) each, their seeds may be others.
    """
    known: _Bits = np.any([right.any(axis=0) for right in variants], axis=0)
    return ~known
