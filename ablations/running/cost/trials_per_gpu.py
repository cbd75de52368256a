"""How many trials share a GPU: those at which it makes the most trials an hour, within its memory. Pure.

One, two, four, ... at once are measured, until more would not fit, or gain nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHARE_OF_MEMORY = 0.9
"""Of a GPU's memory that trials may take: rows differ, and what an allocator asks for is not what it has."""

LEAST_GAIN = 0.05
"""Share by which more trials at once must make more trials an hour, to be taken: they also end later."""


@dataclass(frozen=True)
class AtOnce:
    """So many trials at once on one GPU, as they were measured.

    Attributes:
        trials: how many.
        per_hour: trials an hour of all of them together.
        used_mib: memory of the GPU that was in use at the most, by whomsoever.
        total_mib: its memory.
    """

    trials: int
    per_hour: float
    used_mib: float
    total_mib: float

    @property
    def fits(self) -> bool:
        """Whether they leave some of the memory."""
        return self.used_mib <= SHARE_OF_MEMORY * self.total_mib

    def __str__(self) -> str:
        return f"{self.trials}: {self.per_hour:.3g} trials/h, {self.used_mib / 1024:.1f} GiB"


def measured(measure: Callable[[int], AtOnce | None], most: int) -> tuple[AtOnce, ...]:
    """Return what so many trials at once make, from 1 on, doubled as long as that may help.

    Args:
        measure: measures so many at once; None where they have too little memory.
        most: trials at once.
    """
    found: list[AtOnce] = []
    trials = 1
    while trials <= most:
        now = measure(trials)
        if now is None:
            break
        found.append(now)
        if len(found) > 1 and now.per_hour < (1 + LEAST_GAIN) * found[-2].per_hour:
            break
        following = min(2 * trials, most, room_for(found))
        if following <= trials:
            break
        trials = following
    return tuple(found)


def room_for(found: Sequence[AtOnce]) -> int:
    """Return how many trials at once may fit, by the memory that each took that was added last.

    Args:
        found: measured, fewest first; at least one.
    """
    last = found[-1]
    before, used_before = (found[-2].trials, found[-2].used_mib) if len(found) > 1 else (0, 0.0)
    each = max(1.0, (last.used_mib - used_before) / (last.trials - before))
    return last.trials + int((SHARE_OF_MEMORY * last.total_mib - last.used_mib) // each)


def chosen(found: Sequence[AtOnce]) -> int:
    """Return how many trials are to share a GPU: the fewest that come near to the most trials an hour; 1 if none fit.

    Args:
        found: as `measured` returns it.
    """
    fitting = [each for each in found if each.fits]
    if not fitting:
        return 1
    best = max(each.per_hour for each in fitting)
    return min(each.trials for each in fitting if (1 + LEAST_GAIN) * each.per_hour >= best)


def in_words(found: Sequence[AtOnce], label: str) -> str:
    """Return what was measured and chosen, as a sweep says it.

    Args:
        found: as `measured` returns it.
        label: of the row whose trial was taken.
    """
    if not found:
        return f"one trial on a GPU: one of {label} alone had too little memory"
    shown = "; ".join(map(str, found))
    return f"trials on a GPU: {chosen(found)}, as {label} at once makes {shown} of {found[0].total_mib / 1024:.1f}"
