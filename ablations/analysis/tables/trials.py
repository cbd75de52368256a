"""The trials of a study for programs: one line each, with everything that it takes to read it alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Value
from ablations.analysis.tables.page import page_of
from ablations.running.record.trial_record import TrialRecord


def trial_records(results: Results) -> tuple[Mapping[str, Value], ...]:
    """Return one line for each trial that means something alone; docs/your-paper.md says what each column is."""
    study, rows = results.design.study, {row.label: row for row in results.design.rows}
    page, found = page_of(study), []
    lines = (*results.finished.values(), *results.failed.values())
    imported = any(line.imported is not None for line in lines)
    for line in results.trials.astype(object).to_dict("records"):
        row, record = rows[line["row"]], results.finished.get(line["key"]) or results.failed.get(line["key"])
        failure = None if record is None else record.failure
        found.append(
            {
                "study": study.name,
                "variant": row.label,
                **{f"axis.{axis}": value for axis, value in row.values},
                "seed": line["seed"],
                "status": line["status"],
                **{name: _number(name, line[name]) for name in study.experiment.recorded},
                "failure": None if failure is None else failure.kind,
                **page.trial_fields(row),
                "key": line["key"],
                "shared_from": None if record is None else record.shared_from,
                **({"imported_from": _origin(record)} if imported else {}),
                "commit": None if record is None else record.environment.get("commit"),
            }
        )
    return tuple(found)


def _origin(record: TrialRecord | None) -> str | None:
    return None if record is None or record.imported is None else str(record.imported)


def _number(metric: str, value: float) -> float | None:
    """Return a metric; counts are whole numbers."""
    if isnan(value):
        return None
    return int(value) if metric in ("parameters", "multiply_adds") else value
