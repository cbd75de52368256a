"""Race: seeds are added in rounds, and only to the rows whose comparison is still open.

A race keeps no state. What is to be trained next follows from the study and its record alone: the rounds are played
again from the first, with the seeds that each of them had. So a race that was killed continues where it was, and a
report says the same on every machine.

A row is retired when it has a verdict (p values of all interim analyses so far, Holm's method over all rows;
stats/interims/schedule.py), or when a verdict within its seeds has become unlikely. Retiring for want
of prospects can only lose verdicts, never make a wrong one, so it costs no error.

Source: ablations/analysis/stats/interims/sequential.py; Spiegelhalter, Freedman and Blackburn 1986, "Monitoring
clinical trials: conditional or predictive power?", for the prospects.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.results.account import ALPHA
from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.failures import best_ranks
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.planning.design import Design
from ablations.planning.trial import Trial
from ablations.running.record.trial_record import TrialRecord

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

_Floats = NDArray[np.float64]

_MANY_EQUAL = 8

Why = Literal["verdict", "out of reach", "seeds", "budget", "failed", "rows"]
"""Why a row gets no more seeds; `race_table` has the words."""


@dataclass(frozen=True)
class Retired:
    """A row that gets no more seeds.

    Attributes:
        seeds: how many it was given.
        why: it has a verdict, one has become unlikely, or its seeds or the trials are used up.
    """

    seeds: int
    why: Why


@dataclass(frozen=True)
class Race:
    """The state of a race.

    Attributes:
        seeds: seeds of the present round, and of the baseline.
        trials: what this round still lacks, seed by seed; empty when the race is over.
        retired: rows that get no more seeds, by label.
        racing: labels of the rows that are still open.
    """

    seeds: int
    trials: tuple[Trial, ...]
    retired: Mapping[str, Retired]
    racing: tuple[str, ...]

    def asked(self, label: str) -> int:
        """Return the seeds that a row was given so far, the baseline included."""
        return self.retired[label].seeds if label in self.retired else self.seeds


@dataclass
class _State:
    """The rounds, as they are played again."""

    racing: list[str]
    retired: dict[str, Retired] = field(default_factory=dict)

    def retire(self, labels: Collection[str], seeds: int, why: Why) -> None:
        self.retired |= {label: Retired(seeds, why) for label in labels}
        self.racing = [label for label in self.racing if label not in labels]

    def seeds_of(self, label: str, now: int) -> int:
        return self.retired[label].seeds if label in self.retired else now


def play(results: Results, ended: Collection[str] = ()) -> Race:
    """Play the rounds of a race as far as its record goes.

    Args:
        results: of a study with `design: race`.
        ended: keys of trials that are not waited for: they failed.
    """
    design, finished = results.design, results.measured
    settings, seeds, schedule = design.study.race, results.seeds, results.schedule
    base_of = dict(design.pairs)
    state = _State(list(base_of))
    rows = {row.label: row for row in design.rows}
    values = _values(design, finished, seeds)
    for now in range(settings.first, len(seeds) + 1):
        given = {label: state.seeds_of(label, now) for label in rows}
        if settings.budget is not None and sum(given.values()) > settings.budget:
            state.retire(tuple(state.racing), now - 1, "budget")
            return Race(now - 1, (), state.retired, ())
        running = dict.fromkeys(base for label, base in base_of.items() if label in state.racing)
        wanted = [
            rows[label].trial(seed)
            for place, seed in enumerate(seeds[:now])
            for label in (*running, *state.racing)
            if place < given[label]
        ]
        lacking = tuple(trial for trial in wanted if trial.key not in finished and trial.key not in ended)
        if lacking:
            return Race(now, lacking, state.retired, tuple(state.racing))
        _retire(design, state, values, given, now, schedule)
        if not state.racing:
            return Race(now, (), state.retired, ())
        done = set(base_of.values()) - {base_of[label] for label in state.racing} - state.retired.keys()
        state.retire(sorted(done), now, "rows")  # baselines of tasks on which the race is over
    state.retire(tuple(state.racing), len(seeds), "seeds")
    return Race(len(seeds), (), state.retired, ())


def prospects(
    comparison: Comparison, now: int, most: int, margin: float, level: float, *, lower_is_better: bool = True
) -> float:
    """Return the probability that a comparison has a verdict once it has all its seeds, given those so far.

    Averaged over what the seeds leave open about the true difference (flat prior), with the spread as it was found, and
    as if no other trial failed. A verdict that failed trials would take back even in the best case counts for nothing;
    whether differences that are far off will is not forecast.

    Args:
        comparison: of at least two pairs with some spread.
        now: seeds so far, whose trials have ended; those without a pair give none later.
        most: seeds in the end.
        margin: smallest effect of interest.
        level: of each test in the end, two-sided for a difference.
        lower_is_better: True for errors and losses.
    """
    d, ranks = comparison.difference, comparison.ranks
    if d.mean is None or d.n < 2 or d.sd is None:
        return 1.0
    if d.sd == 0:  # equal differences: by chance among few, and without a t-test for ever
        return 1.0 if d.n < _MANY_EQUAL else 0.0
    if now >= most:
        return 0.0
    pairs = d.n + most - now
    lower, alike, higher = map(float, _chances(np.array(d.mean), np.array(d.sd), d.n, pairs, margin, level))
    if ranks is None:
        return lower + alike + higher
    both = now - d.n - ranks.lost - ranks.won
    better, worse = (
        best_ranks(up, pairs, ranks.lost, ranks.won, both).upholds(up, level) for up in (True, False)
    )
    below, above = (better, worse) if lower_is_better else (worse, better)
    return lower * below + higher * above + alike * (ranks.lost == ranks.won)


def prospects_of(mean: _Floats, sd: _Floats, n: int, most: int, margin: float, level: float) -> _Floats:
    """Return the same probability for many comparisons without failed trials: `mean` and `sd` of any one shape."""
    lower, alike, higher = _chances(mean, sd, n, most, margin, level)
    return np.asarray(lower + alike + higher)


def _chances(
    mean: _Floats, sd: _Floats, n: int, most: int, margin: float, level: float
) -> tuple[_Floats, _Floats, _Floats]:
    """Return the probabilities that a lower value, equivalence and a higher value are shown with `most` pairs."""
    spread = sd * math.sqrt(1 / n - 1 / most)
    error = sd / math.sqrt(most)
    differs = -special.stdtrit(most - 1, level / 2) * error
    alike = np.maximum(margin + special.stdtrit(most - 1, level) * error, 0)

    def below(x: _Floats) -> _Floats:
        chance: _Floats = special.stdtr(n - 1, (x - mean) / spread)
        return chance

    within = np.minimum(alike, differs)  # beyond that a difference is shown, and counted already
    return below(-differs), below(within) - below(-within), 1 - below(differs)


def _retire(
    design: Design,
    state: _State,
    values: pd.DataFrame,
    given: Mapping[str, int],
    now: int,
    schedule: InterimSchedule | None,
) -> None:
    """Analyse the rows that race: retire those with a verdict, and those without prospects."""
    margin, most = design.study.margin, len(design.seeds)
    unlikely = dict.fromkeys(state.racing, True)
    known = values[values["place"] < values["variant"].map(given)].assign(ended=True)
    works = set(known.loc[known["value"].notna(), "variant"])
    state.retire([label for label in state.racing if label not in works], now, "failed")
    level = ALPHA / max(1, len(design.pairs))
    lower = design.study.metric.lower_is_better
    rules = Rules(alpha=ALPHA, lower_is_better=lower, margin=margin, schedule=schedule, forecast=False)
    settled = []
    for c in compare_family(known, design.pairs, rules):
        if c.variant not in state.racing:
            continue
        is_open = c.reading.verdict in ("undetermined", "no claim")
        if not is_open:
            settled.append(c.variant)
        unlikely[c.variant] = (
            is_open
            and now < most
            and prospects(c, now, most, margin, level, lower_is_better=lower) < design.study.race.futility
        )
    state.retire(settled, now, "verdict")
    state.retire([label for label in state.racing if unlikely[label]], now, "out of reach")


def _values(design: Design, finished: Mapping[str, TrialRecord], seeds: Sequence[int]) -> pd.DataFrame:
    rows, column = [], design.study.metric.column
    for row in design.rows:
        for place, seed in enumerate(seeds):
            line = finished.get(row.key(seed))
            value = None if line is None or line.result is None else line.result.value(column)
            error = math.nan if value is None else value
            rows.append((row.label, seed, place, error))
    return pd.DataFrame(rows, columns=["variant", "seed", "place", "value"])
