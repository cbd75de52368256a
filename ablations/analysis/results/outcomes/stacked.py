"""The outcomes of a row's trials, stacked: a bit for each seed and test image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Right = npt.NDArray[np.bool_]
"""(seeds, images) bool: whether the network of a seed knows a test image."""


class KeepsOutcomes(Protocol):
    """What knows the outcomes of trials, as a `StudyRecord` does."""

    def outcomes(self, key: str) -> Right | None:
        """Return those of one trial, (images,) bool; None where they are not known."""


def outcomes_of(record: KeepsOutcomes, keys: Sequence[str]) -> Right | None:
    """Return the outcomes of trials, a row for each; None where those of one are not known, or images differ.

    Args:
        record: of a study, whose finished trials are all of one prepared data set.
        keys: of trials, in the order of their seeds; the keys of several rows may follow one another.

    Shapes:
        returns (len(keys), images) bool.
    """
    found = [record.outcomes(key) for key in keys]
    known = [right for right in found if right is not None]
    if not known or len(known) < len(found) or len({len(right) for right in known}) > 1:
        return None
    return np.stack(known)
