"""A probe as one JSON document for programs."""

from __future__ import annotations

from typing import Any, Final

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.statements import StatementFinding
from ablations.analysis.probe.summary import MEASURES
from ablations.analysis.stats.paired import Estimate

SCHEMA: Final = 1
"""Version of the document: higher when a field is taken away or means something else, not when one is added."""

_DIGITS = 12


def probe_document(probe: GateProbe) -> dict[str, Any]:
    """Return what the page says, for programs: numbers are finite, or None where there is none."""
    return {
        "schema": SCHEMA,
        "name": probe.name,
        "classes": list(probe.classes),
        "measures": {name: measure.words for name, measure in MEASURES.items()},
        "rows": [_row(row) for row in probe.rows],
        "notes": list(probe.notes),
    }


def _row(row: ProbedRow) -> dict[str, Any]:
    over_seeds = {name: row.over_seeds(name) for name in MEASURES}
    return {
        "label": row.label,
        "seeds": list(row.networks),
        "images": sum(row.first.images),
        "statements": [_statement(found) for found in row.findings],
        "units": [
            {
                "name": unit.name,
                "stage": unit.stage,
                "place": unit.place,
                "channels": unit.channels,
                **{name: _estimate(found[unit.name]) for name, found in over_seeds.items()},
            }
            for unit in row.first.units
        ],
        "not_probed": dict(row.first.not_probed),
    }


def _statement(found: StatementFinding) -> dict[str, Any]:
    statement = found.statement
    return {
        "key": statement.key,
        "claim": statement.claim,
        "test": statement.test,
        "threshold": statement.threshold,
        "confirmed": "above" if statement.above else "below",
        "units": list(found.units),
        "figure": _estimate(found.estimate),
        "judgement": found.judgement,
        "why": found.why or None,
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    values = {"mean": one.mean, "sd": one.sd, "lo": one.lo, "hi": one.hi}
    return {**{name: _rounded(value) for name, value in values.items()}, "n": one.n}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
