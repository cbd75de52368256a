"""A comparison of two variants: what was tested, how it was corrected, and what it lets one say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablations.analysis.stats.failures import WorstRanks
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.analysis.stats.outcomes.crossed import CrossedDifference
from ablations.analysis.stats.paired import PairedDifference, Share
from ablations.analysis.stats.shape import Shape
from ablations.analysis.stats.verdict import Reading

Correction = Literal["Holm", "max-T"]
"""How the p of differences are corrected; those of equivalence always by Holm's method."""

RestsOn = Literal["seeds", "images"]
"""What a verdict holds for: new seeds on these test images, or new seeds and new test images."""


@dataclass(frozen=True)
class Rules:
    """The rules under which comparisons are tested and read.

    Attributes:
        confidence: of the intervals, between 0 and 1.
        alpha: level of each kind of verdict, over all comparisons together.
        lower_is_better: True for errors and losses.
        margin: smallest effect of interest, in the units of the values, above 0; without it nothing is called
            equivalent.
        schedule: of interim analyses, if there are any.
        rests_on: what verdicts hold for: "seeds", new seeds on these test images, or "images", new seeds and new test
            images; None for images where outcomes are known and there is one analysis.
        forecast: whether open comparisons get a forecast of more seeds.
        withheld: why nothing may be said yet, in a few words; None where it may. Means are shown, but no interval, p
            or verdict.
    """

    confidence: float = 0.95
    alpha: float = 0.05
    lower_is_better: bool = True
    margin: float | None = None
    schedule: InterimSchedule | None = None
    withheld: str | None = None
    rests_on: RestsOn | None = None
    forecast: bool = True


@dataclass(frozen=True)
class Comparison:
    """One variant against another: a hypothesis of a study, with one p and one verdict wherever it is shown.

    Attributes:
        variant: its name.
        difference: variant minus `against`; its interval is the one that the verdict rests on.
        p_corrected: of the difference, corrected for all comparisons that are made together; None where there is no p.
        reading: the verdict and its words.
        against: what it is compared with.
        margin: smallest effect of interest, in the units of the values; None if none was declared.
        p_tost: of the two one-sided tests; None without a margin and where there is no test.
        p_tost_corrected: `p_tost`, corrected likewise.
        more_seeds: for "undetermined": how many more seeds would probably settle it; None where that
            cannot be said or 1,000 would not do.
        better: probability of being better than `against` with the same seed; None without a pair.
        schedule: the interim analyses over which p values and intervals hold; None for one analysis.
        correction: how `p_corrected` was made.
        members: comparisons that are corrected together.
        withheld: whether nothing is said yet, because no planned analysis has been reached.
        rests_on: what the verdict holds for.
        over_seeds: the interval over new seeds on these test images, where `rests_on` is "images".
        crossed: over new seeds and new test images; None where outcomes are not known.
        beyond_test_set: whether no number of seeds would settle the comparison on this test set, were the mean to stay.
        ranks: the test with failed runs as the worst results; None where no run failed.
        shape: of the differences over seeds; None without one.
        paired: False where the two have no seed in common, and are compared by Welch's test.
    """

    variant: str
    difference: PairedDifference
    p_corrected: float | None
    reading: Reading
    against: str = ""
    margin: float | None = None
    p_tost: float | None = None
    p_tost_corrected: float | None = None
    more_seeds: int | None = None
    better: Share | None = None
    schedule: InterimSchedule | None = None
    correction: Correction = "Holm"
    members: int = 1
    withheld: bool = False
    rests_on: RestsOn = "seeds"
    over_seeds: tuple[float | None, float | None] = (None, None)
    crossed: CrossedDifference | None = None
    beyond_test_set: bool = False
    ranks: WorstRanks | None = None
    shape: Shape | None = None
    paired: bool = True

    @property
    def p(self) -> float | None:
        """Of the difference, over what the verdict rests on, before correction.

        None where there is no test, and with interim analyses, of which one analysis' p says nothing.
        """
        if self.schedule is not None or self.withheld:
            return None
        if self.rests_on == "images" and self.crossed is not None and self.crossed.p is not None:
            return self.crossed.p
        return self.difference.p
