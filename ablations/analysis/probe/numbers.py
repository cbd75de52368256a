"""The numbers of a probe as Parquet files, from which its page can be made again without the networks."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.summary import MEASURES, NetworkSummary, UnitSummary, mean_gates
from ablations.errors import RecordError
from ablations.running.machine.durable import not_written
from senet_core.errors import one_line

if TYPE_CHECKING:
    import pandas as pd

GATES, UNITS = "gates.parquet", "units.parquet"
"""Mean gates by class and channel (`GateProbe.gates`), and the measures of every unit (`GateProbe.units`)."""

_NETWORK = ["row", "seed"]
_TOLD = b"senet.probe"
"""Key of what the file of units tells beside its frame: the probe's name and notes, as JSON."""


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
            _write(folder / UNITS, [probe.units], {"name": probe.name, "notes": probe.notes}),
        )
    except OSError as error:
        raise not_written(f"to {str(folder)!r}", error, chosen=True) from error


def read_probe(folder: str | Path) -> GateProbe:
    """Read the probe that `write_numbers` wrote; what it was made from is not needed.

    Args:
        folder: of both files.

    Raises:
        RecordError: a file is missing or damaged, or they are not of one probe.
    """
    import pyarrow.parquet as pq

    folder = Path(folder)
    try:
        units, gates = (pq.read_table(folder / name) for name in (UNITS, GATES))
        told = json.loads((units.schema.metadata or {})[_TOLD])
        gates_of = dict(iter(gates.to_pandas().groupby(_NETWORK, sort=False)))
        measured = dict(iter(units.to_pandas().groupby(_NETWORK, sort=False)))
        if gates_of.keys() != measured.keys() or not measured:
            raise ValueError("they are not of the same networks")
        found: dict[str, dict[int, NetworkSummary]] = {}
        for (row, seed), frame in measured.items():
            found.setdefault(str(row), {})[int(seed)] = _network(frame, gates_of[row, seed])
        classes = tuple(map(str, next(iter(gates_of.values()))["class"].drop_duplicates()))
        rows = tuple(ProbedRow(label, networks) for label, networks in found.items())
        return GateProbe(str(told["name"]), classes, rows, tuple(map(str, told["notes"])))
    except FileNotFoundError as error:
        raise RecordError(
            f"there are no numbers of a probe in {str(folder)!r}: {UNITS} and {GATES}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's own are ValueError or OSError
        raise RecordError(
            f"cannot read the numbers of a probe in {str(folder)!r}: {type(error).__name__}: {one_line(error)}"
        ) from error


def _network(units: pd.DataFrame, gates: pd.DataFrame) -> NetworkSummary:
    """Return a network from its lines of both frames."""
    by_unit = dict(iter(gates.groupby("unit", sort=False)))
    found = tuple(_unit(unit, by_unit[unit["unit"]]) for unit in units.to_dict("records"))
    images = next(iter(by_unit.values())).drop_duplicates("class")["images"]
    return NetworkSummary(found, tuple(map(int, images)), {})


def _unit(measured: Mapping[Any, Any], gates: pd.DataFrame) -> UnitSummary:
    channels = int(measured["channels"])
    by_class, spread = (
        gates[name].to_numpy(np.float64).reshape(-1, channels) for name in ("mean", "deviation")
    )
    images = gates["images"].to_numpy().reshape(-1, channels)[:, 0]
    return UnitSummary(
        str(measured["unit"]),
        int(measured["stage"]),
        int(measured["place"]),
        channels,
        mean_gates(by_class, images),
        by_class,
        spread,
        {name: None if np.isnan(measured[name]) else float(measured[name]) for name in MEASURES},
    )


def _write(path: Path, frames: Iterable[pd.DataFrame], told: Mapping[str, Any] | None = None) -> Path:
    """Write frames one after the other, each a row group, so that the whole is never in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        pieces: Iterator[pd.DataFrame] = iter(frames)
        first = pa.Table.from_pandas(next(pieces), preserve_index=False)
        if told is not None:
            metadata = {**(first.schema.metadata or {}), _TOLD: json.dumps(told).encode()}
            first = first.replace_schema_metadata(metadata)
        with pq.ParquetWriter(draft, first.schema) as writer:
            writer.write_table(first)
            for piece in pieces:
                writer.write_table(pa.Table.from_pandas(piece, schema=first.schema, preserve_index=False))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path
