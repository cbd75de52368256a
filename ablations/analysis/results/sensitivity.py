"""Sensitivity of a plan: the differences that it detects given the noise, and the seeds that a difference needs."""

from __future__ import annotations

from ablations.analysis.results.noise import Noise
from ablations.analysis.stats.equivalence import PROBABLY
from ablations.analysis.stats.power import ALPHA, detectable, equivalence_power, first_level, seeds_needed
from ablations.running.record.forecasts import Sensitivity


def sensitivity(noise: Noise, *, seeds: int, comparisons: int, margin: float) -> Sensitivity | None:
    """Return the differences that `seeds` seeds a row can detect.

    Args:
        noise: of a paired difference.
        seeds: a row.
        comparisons: with the baseline, in the whole report.
        margin: smallest effect of interest, in points.

    Returns:
        None below two seeds, where there is no test.
    """
    if seeds < 2:
        return None
    corrected = first_level(comparisons)
    return Sensitivity(
        sd=noise.sd,
        sd_lo=noise.lo,
        sd_hi=noise.hi,
        source=noise.source,
        seeds=seeds,
        comparisons=comparisons,
        alpha=ALPHA,
        power=PROBABLY,
        margin=margin,
        detectable=detectable(noise.sd, seeds),
        detectable_corrected=detectable(noise.sd, seeds, corrected),
        equivalent=equivalence_power(noise.sd, seeds, margin),
        equivalent_corrected=equivalence_power(noise.sd, seeds, margin, corrected),
    )


def seeds_to_detect(difference: float, noise: Noise, comparisons: int) -> tuple[int | None, int | None]:
    """Return the seeds that find a difference with a probability of 80 %: by one comparison alone, and corrected."""
    corrected = seeds_needed(difference, noise.sd, first_level(comparisons))
    return seeds_needed(difference, noise.sd), corrected
