"""One line for each row of a study: for MLflow's summary runs and for notebooks."""

from __future__ import annotations

from ablations.analysis.results.families import Family, Outcome
from ablations.analysis.results.imported import confounded_rows
from ablations.analysis.results.results import Results
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.tables.cells import Column, Difference, Mean, PValue, Table, TableRow, Text
from ablations.analysis.tables.comparisons.notes import unequal_seeds_notes
from ablations.running.mlflow.summaries import RowSummary


def summarise(results: Results) -> list[RowSummary]:
    """Summarise every row that has a finished trial, in the design's order.

    The corrected p is the one that every table shows.
    """
    found = _by_label(results)
    return [
        RowSummary(
            label,
            dict(outcome.row.values),
            _metrics(outcome, comparison),
            "baseline" if comparison is None else comparison.reading.verdict,
        )
        for label, (_, outcome, comparison) in found.items()
        if outcome.level.n > 0
    ]


def summary_table(results: Results) -> Table:
    """Return one short table over all rows of a study."""
    metric = results.design.study.metric
    columns = (
        Column("variant", "variant", "left"),
        Column(metric.key, metric.head, gives_way=2),
        Column("difference", "to baseline", gives_way=3),
        Column("p_corrected", "p, corrected", gives_way=1),
        Column("verdict", "verdict", "left"),
    )
    groups = results.families
    rows = tuple(_row(*found) for found in _by_label(results).values())
    unequal = [note for group in groups for note in unequal_seeds_notes(group)]
    confounded = confounded_rows(results)
    notes = (*([confounded] if confounded else []), *dict.fromkeys(unequal))
    return Table("summary", "Summary", columns, rows, notes).without_empty_columns()


def _by_label(results: Results) -> dict[str, tuple[Family, Outcome, Comparison | None]]:
    """Return every row once, with a table that it stands in, and its comparison."""
    known = results.comparisons
    return {
        outcome.label: (family, outcome, known.get(outcome.label))
        for family in results.families
        for outcome in family.outcomes
    }


def _metrics(outcome: Outcome, comparison: Comparison | None) -> dict[str, float]:
    known: dict[str, float | None] = {
        "mean": outcome.level.mean, "sd": outcome.level.sd, "n": outcome.level.n,
        "ci_lo": outcome.level.lo, "ci_hi": outcome.level.hi,
        **{f"{key}_mean": found.mean for key, found in outcome.others.items()}, **outcome.costs,
    }  # fmt: skip
    if comparison is not None:
        d = comparison.difference
        known |= {
            "delta": d.mean, "delta_lo": d.lo, "delta_hi": d.hi, "p": comparison.p,
            "p_corrected": comparison.p_corrected,
            "p_tost": comparison.p_tost, "p_tost_corrected": comparison.p_tost_corrected, "margin": comparison.margin,
            "effect": d.effect, "p_better": None if comparison.better is None else comparison.better.value,
            "more_seeds": comparison.more_seeds,
        }  # fmt: skip
    return {name: float(value) for name, value in known.items() if value is not None}


def _row(family: Family, outcome: Outcome, comparison: Comparison | None) -> TableRow:
    kind = family.kind(outcome)
    d = None if comparison is None else comparison.difference
    verdict = comparison.reading.verdict if comparison is not None else None
    return TableRow(
        (
            Text(outcome.label),
            Mean(outcome.level, outcome.planned, family.metric.decimals),
            Difference(d.mean, d.lo, d.hi, decimals=family.metric.decimals) if d is not None else Text(None),
            PValue(None if comparison is None else comparison.p_corrected),
            Text("baseline" if kind == "baseline" else verdict if outcome.level.n else "not yet measured"),
        ),
        kind,
    )
