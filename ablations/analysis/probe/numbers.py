"""The numbers of a probe for programs: Parquet files, and one JSON document."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.statements import StatementFinding
from ablations.analysis.probe.summary import MEASURES
from ablations.analysis.stats.paired import Estimate
from ablations.running.machine.durable import not_written

if TYPE_CHECKING:
    import pandas as pd

SCHEMA: Final = 1
"""Version of the document: higher when a field is taken away or means something else, not when one is added."""

GATES, UNITS = "gates.parquet", "units.parquet"
"""Mean gates by class and channel (`GateProbe.gates`), and the measures of every unit (`GateProbe.units`)."""

_DIGITS = 12


def write_numbers(probe: GateProbe, folder: Path) -> tuple[Path, Path]:
    """Write `gates.parquet` and `units.parquet` into a folder, which is made if it does not exist.

    Raises:
        UserError: they cannot be written.
        DiskError: the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (
            _write(folder / GATES, probe.gate_frames()),
            _write(folder / UNITS, [probe.units]),
        )
    except OSError as error:
        raise not_written(f"to {str(folder)!r}", error, chosen=True) from error


def _write(path: Path, frames: Iterable[pd.DataFrame]) -> Path:
    """Write frames one after the other, each a row group, so that the whole is never in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        pieces: Iterator[pd.DataFrame] = iter(frames)
        first = pa.Table.from_pandas(next(pieces), preserve_index=False)
        with pq.ParquetWriter(draft, first.schema) as writer:
            writer.write_table(first)
            for piece in pieces:
                writer.write_table(pa.Table.from_pandas(piece, schema=first.schema, preserve_index=False))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


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
