"""One factor: each axis is varied alone around the baseline, as in the tables of the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablations.planning.designs.kind import DesignKind, Levels


class OneFactorDesign(DesignKind):
    """Each axis alone around the baseline."""

    name = "one-factor"
    description = "each axis alone around the baseline"

    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return a row for each level of each axis."""
        for axis, size in enumerate(sizes):
            for level in range(size):
                yield tuple(level if place == axis else None for place in range(len(sizes)))
