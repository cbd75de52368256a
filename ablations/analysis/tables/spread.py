"""How much of the spread between a study's runs is real, and how much is the noise of a finite test set."""

from __future__ import annotations

from ablations.analysis.results.outcomes.stacked import outcomes_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.outcomes.crossed import crossed_level


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
    return (
        f"{baseline.label}: sd {sd:.2f} points over {level.seeds} seeds on these {level.images:,} test images, of "
        f"which {level.sigma_dist:.2f} would be left on an endless test set"
    )
