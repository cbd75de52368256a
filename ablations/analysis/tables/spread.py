"""How much of the spread between a study's runs is real, and how much is the noise of a finite test set."""

from __future__ import annotations

from ablations.analysis.results.outcomes.stacked import outcomes_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.outcomes.crossed import crossed_level

_SHOWN = 0.005
"""Below this a standard deviation would be shown as 0.00, which no few runs can tell."""


def spread_between_runs(results: Results) -> str | None:
    """Return the spread of the baseline's runs in a sentence; None where outcomes or a second seed are missing.

    Source: Jordan 2023, arXiv:2304.01910: much of the variance between runs on a test set is not variance between the
    networks, and would vanish on an endless test set.
    """
    baseline = results.design.baseline
    if baseline.label in results.undecided:
        return None
    records = results.of_row(baseline)
    right = outcomes_of(results, [record.key for record in records]) if len(records) > 1 else None
    if right is None:
        return None
    level, errors = crossed_level(right), [100 * float(1 - row.mean()) for row in right]
    mean = sum(errors) / len(errors)
    sd = (sum((error - mean) ** 2 for error in errors) / (len(errors) - 1)) ** 0.5
    if level.sigma_dist is None:
        return None
    seen = f"sd {sd:.2f} points over {level.seeds} seeds on these {level.images:,} test images"
    left = (
        f"of which {level.sigma_dist:.2f} would be left on an endless test set"
        if level.sigma_dist >= _SHOWN
        else f"no more than a finite test set alone would make it, as far as {level.seeds} runs tell"
    )
    return f"{baseline.label}: {seen}, {left}"
