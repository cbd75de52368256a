"""The table of a race: how many seeds each row was given, and why no more."""

from __future__ import annotations

from ablations.analysis.results.race import Race
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Column, Number, Table, TableRow, Text

_WHY = {
    "verdict": "its verdict is in",
    "out of reach": "a verdict within its seeds has become unlikely",
    "seeds": "all seeds are used",
    "budget": "the budget of trials is spent",
    "failed": "none of its trials has a result",
    "rows": "none of its rows is in the race any more",
}


def race_table(results: Results, race: Race) -> Table:
    """Return the rows of a race with their seeds, and the method by which it is run.

    Args:
        results: the study's design and record.
        race: how far it is.
    """
    columns = (
        Column("variant", "variant", "left"),
        Column("seeds", "seeds"),
        Column("why", "no more seeds, because", "left"),
        Column("verdict", "verdict", "left"),
    )
    rows = []
    compared = dict(results.design.pairs)
    for row in results.design.rows:
        is_baseline = row.label not in compared
        why = race.retired.get(row.label)
        open_words = "it is what the others are compared with" if is_baseline else "still racing"
        cells = (
            Text(row.label),
            Number(race.asked(row.label), 0),
            Text(open_words if why is None else _WHY[why.why]),
            Text("baseline" if is_baseline else _verdict(results, row.label)),
        )
        rows.append(TableRow(cells, "baseline" if is_baseline else "variant"))
    return Table("race", "The race", columns, tuple(rows), _notes(results, race))


def _verdict(results: Results, label: str) -> str | None:
    found = results.comparisons.get(label)
    return None if found is None else found.reading.verdict


def _notes(results: Results, race: Race) -> tuple[str, ...]:
    study, rows = results.design.study, results.design.rows
    most, asked = len(study.seeds), sum(race.asked(row.label) for row in rows)
    share = 100 * asked / (most * len(rows))
    budget = "" if study.race.budget is None else f", at most {study.race.budget} trials in all"
    first = study.race.first
    return (
        f"{asked} trials were asked for; the same rows with all {most} seeds each are {most * len(rows)} "
        f"({share:.0f} %).",
        f"Declared before: a look after every seed from {first} to {most}{budget}. A row gets no more seeds when it "
        f"has a verdict, or when the chance that it still gets one by {most} seeds, given "
        f"its seeds so far, is below {100 * study.race.futility:g} %.",
        f"Group-sequential paired t-tests with unknown variance, two-sided for differences and two one-sided ones for "
        f"equivalence; by the look at n seeds the share (n / {most})² of the error is spent (Lan and DeMets 1983; "
        "Kim and DeMets 1987). The p of all looks so far goes into Holm's method over all rows (Ye, Li, Liu and "
        "Yao 2013), so the chances of any wrong “better” or “worse” and of any wrong “equivalent” stay at "
        "most 5 % each, whenever rows stop. Means of rows that stopped early are a little off: of those with a verdict "
        "too far from 0, of those without prospects too near to it.",
    )
