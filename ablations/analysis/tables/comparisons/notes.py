"""How to read a table of comparisons, and what its seeds cannot show."""

from __future__ import annotations

from collections.abc import Collection

from ablations.analysis.results.families import SampleFamily
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.analysis.stats.verdict import limits
from ablations.planning.metric import Metric
from senet_core.words import counted

ON_TOP = (
    "The chance of a false “better” or “worse” in this table, at most 5 %, and that of a false “equivalent” come on top"
    " of those of the other verdicts."
)
"""What stands below a family of comparisons beside the study's own."""
_MOST_TOLD = 8

_ONE_ANALYSIS = (
    "Differences are paired by seed, with their 95 % t-interval, each taken alone, which generalises over new seeds on "
    "these test data; p is the paired t-test's,"
)
_ON_IMAGES = (
    "Differences are paired by seed and by test image, with their 95 % interval over new seeds and new test images, "
    "each taken alone: seeds and images are crossed, and both count (a t variable for each, after Behrens and "
    "Fisher). p is of the same,"
)
_UNPAIRED = (
    "The runs have no seed in common, so differences are not paired: their 95 % interval and p are those of Welch's "
    "t-test for unequal variances, p"
)


def _how(comparisons: Collection[Comparison], schedule: InterimSchedule | None) -> str:
    if schedule is not None:
        return _interim_words(schedule)
    if comparisons and not any(c.paired for c in comparisons):
        return _UNPAIRED
    alone = [c.variant for c in comparisons if not c.paired]
    also = f" For {', '.join(alone)}, without a common seed, it is Welch's," if alone else ""
    on_images = any(c.rests_on == "images" for c in comparisons)
    return (_ON_IMAGES if on_images else _ONE_ANALYSIS) + also


def correction_words(comparisons: Collection[Comparison]) -> str:
    """Return how p is corrected, and for how many comparisons."""
    one = next((c for c in comparisons if c.p_corrected is not None), None)
    if one is None or one.members == 1:
        return "uncorrected: it is the one comparison."
    how = "step-down max-T over joint sign flips" if one.correction == "max-T" else "Holm's method"
    return f"corrected for {one.members} comparisons by {how}."


def _interim_words(schedule: InterimSchedule) -> str:
    at = schedule.at
    times = f"at {at[0]} to {at[-1]} seeds" if len(at) > 3 else f"at {', '.join(map(str, at))} seeds"
    return (
        f"Differences are paired by seed and looked at more than once ({len(at)} looks, {times}). The intervals are "
        "repeated 95 % intervals: all looks' hold together, each comparison taken alone. p is that of the "
        "group-sequential paired t-test over all looks so far, valid whenever one stops,"
    )


def comparison_notes(comparisons: Collection[Comparison], metric: Metric) -> tuple[str, ...]:
    """Return how to read a family of comparisons, and what its seeds cannot show.

    Args:
        comparisons: of one family.
        metric: what was compared.
    """
    unit = f" {metric.points}".rstrip()
    tested = [c.difference.n for c in comparisons if c.p_corrected is not None]
    if any(c.withheld for c in comparisons):
        return ()
    margin = next((c.margin for c in comparisons if c.margin is not None), None)
    schedule = next((c.schedule for c in comparisons if c.schedule is not None), None)
    said = f"{_how(comparisons, schedule)} {correction_words(comparisons)} "
    if margin is not None:
        said += (
            f"Smallest effect of interest: {margin:g}{unit}; p of equivalence is that of two one-sided t-tests "
            "against it, corrected likewise. “Better” and “worse”: a difference is shown. “Equivalent”: it is shown "
            f"to lie within ±{margin:g}{unit}. “Undetermined”: these seeds show neither, and neither "
            "is excluded; the number of seeds beside it is a forecast: with so many more a second analysis, "
            "tested as one, would settle it with a probability of 80 %. "
        )
    if any(c.beyond_test_set for c in comparisons):
        said += (
            "“Not on this test set”: the part of the error that comes from the images alone is too large for any "
            "number of seeds, if the difference stays as it is. "
        )
    spreads = [c.difference.sd for c in comparisons if c.difference.sd]
    counts = tested or [c.difference.n for c in comparisons]
    if schedule is not None:  # what so few seeds cannot give is said for one analysis of all of them
        return (said.strip(),)
    over_seeds = all(c.rests_on == "seeds" and c.paired for c in comparisons)
    members = max((c.members for c in comparisons), default=len(tested))
    return (said.strip(), *limits(counts, members, margin=margin, spreads=spreads, over_seeds=over_seeds))


def unequal_seeds_notes(family: SampleFamily) -> tuple[str, ...]:
    """Return that means and differences are over different seeds, and then the rows that do not show it themselves.

    The first note is the same for all families with one baseline; there is none where all are over the same seeds.
    """
    levels = {outcome.label: outcome.level for outcome in family.outcomes}
    base = levels[family.baseline].n if family.baseline in levels else 0
    counts = {
        label: (levels[label].n, c.difference.n)
        for label, c in family.comparisons.items()
        if c.difference.n and label in levels
    }
    if all(mean == shared == base for mean, shared in counts.values()):
        return ()
    said = (
        f"Means are over all seeds of a row (the baseline's over {counted(base, 'seed')}), a difference is over the "
        "seeds that the row shares with the baseline alone, so it need not be that of the two means."
    )
    apart = [
        f"{label}: mean over {counted(mean, 'seed')}, difference over {shared}"
        for label, (mean, shared) in counts.items()
        if mean != shared
    ]
    if not apart:
        return (said,)
    more = f"; and {counted(len(apart) - _MOST_TOLD, 'more row')}" if len(apart) > _MOST_TOLD else ""
    return (said, f"{'; '.join(apart[:_MOST_TOLD])}{more}.")
