"""Trials that no sweep has run: how many of a study there are, from where, and which comparisons they confound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from ablations.planning.row import Row
from senet_core.words import counted

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results
    from ablations.running.record.trial_record import TrialRecord

_HERE = "ran here"
_SHOWN = 4


def imported_words(results: Results) -> str:
    """Return how many of a study's trials were imported, and from where; "" where none was."""
    asked = (*results.finished.values(), *results.failed.values())
    counts = Counter(line.imported.place for line in asked if line.imported is not None)
    if not counts:
        return ""
    total = sum(counts.values())
    sources = (
        f"from {next(iter(counts))}"
        if len(counts) == 1
        else ", ".join(f"{count} from {source}" for source, count in counts.most_common())
    )
    said = f"{total} of {counted(results.asked_trials, 'trial')} were imported, {sources}"
    again = _tried_again(results)
    return said + (
        f"; {counted(again, 'imported failure')} ended well when tried again here" if again else ""
    )


def confounded_rows(results: Results, rows: Iterable[Row] | None = None, against: Row | None = None) -> str:
    """Return which rows are compared with the baseline across places, in a sentence; "" where none is.

    A pair of seeds is across places if one of the two was imported and the other ran here, or if they come from two
    sources: what was recorded elsewhere may have had another machine and other code. Without common seeds, a row is if
    its trials are spread otherwise over the places than the baseline's.

    Args:
        results: the study's design and record.
        rows: these alone; all if None.
        against: compared with this row instead of the baseline.
    """
    baselines = results.design.baselines
    chosen = results.design.rows if rows is None else rows
    return _sentence({row.label: _across(results, row, against or baselines[row.label]) for row in chosen})


def confounded_pairs(results: Results, rows: Iterable[Row]) -> str:
    """Return which pairs of some rows are compared across places, as `confounded_rows` does with the baseline."""
    pairs = combinations(rows, 2)
    return _sentence({f"{two.label} against {one.label}": _across(results, two, one) for one, two in pairs})


def _across(results: Results, row: Row, against: Row) -> str:
    """Return how much of the comparison of two rows is across places, in words; "" for nothing."""
    own, other = _places(results, row), _places(results, against)
    common = own.keys() & other.keys()
    across = sum(own[seed] != other[seed] for seed in common)
    if across:
        return f"{across} of {counted(len(common), 'pair')}"
    apart = not common and own and other and Counter(own.values()).keys() != Counter(other.values()).keys()
    return "without common seeds" if apart else ""


def _sentence(across: Mapping[str, str]) -> str:
    said = [f"{name} ({how})" for name, how in across.items() if how]
    if not said:
        return ""
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return (
        f"Confounded with where they ran: {', '.join(said[:_SHOWN])}{more}. There, imported trials are compared with"
        " trials that ran here or come from another source: machine and code may differ besides the settings, and a"
        " difference may be theirs."
    )


def mixed_rows(results: Results, rows: Iterable[Row]) -> str:
    """Return which rows have trials of several places, in a sentence: their means are over all; "" where none has."""
    said = []
    for row in rows:
        places = tuple(_places(results, row).values())
        if len(set(places)) > 1:
            said.append(f"{row.label} ({imported_in(results, row)} of {len(places)} imported)")
    if not said:
        return ""
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return (
        f"Means and their intervals are over trials of several places: {', '.join(said[:_SHOWN])}{more}. Where they"
        " ran is in the spread, too; pairs within one place are free of it."
    )


def imported_in(results: Results, row: Row) -> int:
    """Return how many of a row's finished trials were imported."""
    return sum(line.imported is not None for line in results.of_row(row))


def imported_since(results: Results, time: str) -> int:
    """Return how many finished trials were imported after a time, in ISO 8601 in UTC."""
    return sum(line.imported is not None and line.imported.when >= time for line in results.finished.values())


def _places(results: Results, row: Row) -> Mapping[int, str]:
    """Return where each finished trial of a row ran, by seed."""
    keys = {seed: results.key_of(row, seed) for seed in results.asked_seeds(row)}
    return {seed: _place(results.finished[key]) for seed, key in keys.items() if key in results.finished}


def _place(line: TrialRecord) -> str:
    return _HERE if line.imported is None else line.imported.place


def _tried_again(results: Results) -> int:
    """Return how many trials failed where they were recorded, and have a result of their own from here."""
    failed = {
        line.key
        for line in results.record.trials.lines
        if line.status == "failed" and line.imported is not None
    }
    return sum(key in failed and line.imported is None for key, line in results.finished.items())
