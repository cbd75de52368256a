"""The error account of a study: each row's difference to the baseline is one hypothesis, tested and corrected once.

All tables show parts of the same comparisons, so that a row has one p and one verdict wherever it stands, and the rate
that is promised holds for the report as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.pair_tests import NO_OUTCOMES, Outcomes
from ablations.planning.row import Row
from senet_core.words import counted

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

ALPHA = 0.05
"""The level of each kind of verdict, over all comparisons of a study with its baseline."""


def comparisons_of(results: Results, *, margin: float | None = None) -> Mapping[str, Comparison]:
    """Return the comparison of every other row with the baseline, by label, corrected for all of them.

    Args:
        results: the study's design and record.
        margin: another smallest effect of interest than the study's, for which no seeds are forecast.
    """
    rules = rules_of(results)
    if margin is not None:
        rules = replace(rules, margin=margin, forecast=False)
    design = results.design
    every = (row for part in design.tasks for row in (part.baseline, *part.rows))
    rows = list({row.label: row for row in every}.values())
    outcomes = {
        label: right for part in results.tasks for label, right in outcomes_by_row(part, rows).items()
    }
    found = compare_family(results.values(rows=rows), design.pairs, rules, outcomes)
    return {comparison.variant: comparison for comparison in found}


def rules_of(results: Results) -> Rules:
    """Return the rules under which a study's rows are compared at this moment.

    A race says itself which rows get more seeds, and how many; a forecast for one analysis would contradict it.
    """
    return Rules(
        alpha=ALPHA,
        margin=results.design.study.margin,
        schedule=results.schedule,
        withheld=results.withheld,
        lower_is_better=results.design.study.metric.lower_is_better,
        rests_on=results.design.study.rests_on,
        forecast=not results.design.kind.races,
    )


def withheld(results: Results) -> str | None:
    """Return why a study says nothing yet; None where its analyses have been reached.

    A study is analysed at the numbers of seeds that it declares: a race after every seed from its first, a study that
    was extended at its old end and at its new one, and any other once, when none of its trials is waited for any more.
    The first analysis of a race is when every row has had its first seeds; from then on each row has its own.
    """
    if not _waits(results):
        return None
    schedule = results.schedule
    if schedule is not None and not _waits(results, schedule.at[0]):
        return None
    return f"no verdict before seed {schedule.at[0] if schedule else len(results.design.seeds)}, as planned"


def account_sentence(results: Results) -> str:
    """Return what the report as a whole holds to, or that nothing is said yet; "" where nothing is compared."""
    found = tuple(results.comparisons.values())
    if not found:
        return ""
    if results.withheld is not None:
        return (
            f"This is an interim report, and it tests nothing: {results.withheld}. Verdicts, p values and intervals of "
            f"differences come {'then' if results.schedule else 'when every planned trial has ended'}; "
            "whoever reads tests before that and stops where it suits errs far more often than they say."
        )
    return account_words(found)


def account_words(found: tuple[Comparison, ...]) -> str:
    """Return the rate that comparisons which are corrected together hold to, and how they were corrected."""
    one = found[0]
    level = f"{100 * ALPHA:g} %"
    how = (
        "step-down max-T over joint sign flips of the seeds"
        if one.correction == "max-T"
        else "Holm's method" + ("" if one.schedule is None else " on the p of all interim analyses so far")
    )
    among = f"Among {counted(one.members, 'comparison')} with the baseline, corrected together by {how}, the chance"
    kinds = f"{among if one.members > 1 else 'The chance'} of a false “better” or “worse” is at most {level}"
    if one.margin is not None:
        kinds += ", and so is that of a false “equivalent”"
    over = (
        "new seeds and new test images, with these training images"
        if one.rests_on == "images"
        else "new seeds, on these training and test data"
    )
    return f"{kinds}. Verdicts and intervals generalise over {over}."


def outcomes_by_row(results: Results, rows: Sequence[Row]) -> Outcomes:
    """Return the outcomes of a task's finished trials, by row and seed; none where they saw different data."""
    if len({line.data_digest for line in results.finished.values()}) != 1:
        return NO_OUTCOMES
    found: dict[str, dict[int, NDArray[np.bool_]]] = {}
    for row in rows:
        if row.task != results.design.baseline.task or row.label in results.undecided:
            continue
        for seed in results.asked_seeds(row):
            right = results.outcomes(row.key(seed))
            if right is not None:
                found.setdefault(row.label, {})[seed] = right
    return found


def _waits(results: Results, first: int | None = None) -> bool:
    """Return whether a trial of a row's seeds, or of its first ones, is still waited for."""
    known = results.measured.keys() | results.ended
    seeds = results.seeds[:first]
    return bool(results.undecided) or any(
        row.key(seed) not in known for row in results.design.rows for seed in seeds
    )
