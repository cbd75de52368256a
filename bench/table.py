"""What a bench found, as a table: the same for the terminal, as it ends, and for documents, from its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from ablations.analysis.tables.cells import Code, Column, Number, Table, TableRow, Text
from senet_core.errors import UserError

TIMINGS = "timings"
"""The table of a bench that compares throughputs; other measurements have none."""

_COLUMNS = (
    Column("contender", "contender", "left"),
    Column("title", "what it is", "left"),
    Column("speed", "images/s"),
    Column("ratio", "ratio"),
    Column("cpu", "CPU ms an image"),
    Column("cpu_ratio", "CPU ratio"),
)


def read_bench(path: Path) -> dict[str, Any]:
    """Read the record of a bench, a file of results/bench/: with timings, or of another measurement.

    Raises:
        UserError: it cannot be read, or lacks something.
    """
    try:
        content: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
        if TIMINGS in content:
            bench_table(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"cannot read the bench {path}: {type(error).__name__}: {error}") from error
    return content


def bench_table(content: Mapping[str, Any]) -> Table:
    """Return the table of a bench.

    Args:
        content: as recorded (`bench.throughput.describe_bench`).
    """
    images = "random images" if content["images"] == "random" else content["images"]
    asked = f"{content['network']}, batch {content['batch']}, {images}, {content['cores_used']} cores"
    title = f"{asked}: medians of {rounds_of(content)} rounds"
    return Table(TIMINGS, title, _COLUMNS, tuple(_row(timing, content) for timing in content[TIMINGS]))


def rounds_of(content: Mapping[str, Any]) -> int:
    """Return how often a bench timed its contenders."""
    return max(len(timing["rounds"]) for timing in content[TIMINGS])


def _row(timing: Mapping[str, Any], content: Mapping[str, Any]) -> TableRow:
    version = content.get(str(timing["name"]).split("-")[0])  # a peer's package has its name
    title = f"{timing['title']} ({version})" if version else timing["title"]
    return TableRow(
        (
            Code(timing["name"]),
            Text(title),
            Number(timing["median"], 0),
            Number(timing["ratio"]),
            Number(median(timing["cpu_rounds"])),
            Number(timing["cpu_ratio"]),
        )
    )
