"""Tables of a probe: the paper's statements at a glance and one by one, and measures of every unit by depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablations.analysis.probe.gate_probe import ProbedRow
from ablations.analysis.probe.statements import STATEMENTS, Judgement, StatementFinding
from ablations.analysis.probe.summary import MEASURES
from ablations.analysis.tables.cells import Coloured, Column, Difference, Number, Table, TableRow, Text, fixed
from ablations.analysis.tables.comparisons.keys import file_key
from ablations.analysis.tables.glance.marks import MARKS
from senet_core.words import counted

GATE_MEASURES = ("class_share", "likeness", "high", "low", "image_share", "constant_error", "one_error")
CHANNEL_MEASURES = ("correlation_before", "correlation_after", "dimensions_before", "dimensions_after")

_ROWS_BESIDE = 4
_INTERVAL = (
    "Interval: t over trained seeds, on these test images, each statement taken alone; confirmed or contradicted where"
    " all of it lies on one side of the threshold. Thresholds were set before any network was looked at. Stages take"
    " the place of those with the same role in the paper's network: the first for stage 2, the last for stage 5."
)
_COLOURS: Mapping[Judgement, str] = {
    "confirmed": MARKS["better"].colour,
    "contradicted": MARKS["worse"].colour,
    "undetermined": MARKS["undetermined"].colour,
}


def row_keys(rows: Sequence[ProbedRow]) -> tuple[str, ...]:
    """Return a name for the files of each row."""
    keys: list[str] = []
    for row in rows:
        key = file_key(row.label)
        alike = sum(key in (known, known.rpartition("-")[0]) for known in keys)
        keys.append(f"{key}-{alike + 1}" if alike else key)
    return tuple(keys)


def glance_tables(rows: Sequence[ProbedRow]) -> tuple[Table, ...]:
    """Return the paper's statements with what each row says of them; of many rows, four in a table."""
    parts = [rows[start : start + _ROWS_BESIDE] for start in range(0, len(rows), _ROWS_BESIDE)]
    return tuple(_glance_table(part, number) for number, part in enumerate(parts, 1))


def _glance_table(rows: Sequence[ProbedRow], number: int) -> Table:
    columns = (
        Column("statement", "the paper on SE-ResNet-50", "left", prose=True),
        Column("confirmed", "confirmed", "left"),
        *(Column(row.label, row.label, "left") for row in rows),
    )
    lines = [
        TableRow(
            (
                Text(statement.claim),
                Text(_confirmed(findings[0])),
                *(Coloured(_judged(found), _COLOURS[found.judgement]) for found in findings),
            )
        )
        for statement, *findings in zip(STATEMENTS, *(row.findings for row in rows), strict=True)
    ]
    return Table(
        "statements" if number == 1 else f"statements-{number}",
        ", ".join(row.label for row in rows),
        columns,
        tuple(lines),
        notes=(_INTERVAL,),
        subject="the paper's statements on gates",
    )


def _judged(found: StatementFinding) -> str:
    """Return the judgement with its figure: "confirmed 0.97 [0.90, 1.04]"."""
    figure = _figure(found, decimals=2).text()
    return found.judgement if found.estimate.mean is None else f"{found.judgement} {figure}"


def _figure(found: StatementFinding, decimals: int = 3) -> Difference:
    one = found.estimate
    return Difference(one.mean, one.lo, one.hi, signed=False, decimals=decimals)


def _confirmed(found: StatementFinding) -> str:
    statement = found.statement
    return f"{'above' if statement.above else 'below'} {fixed(statement.threshold, 2)}"


def statement_table(row: ProbedRow, key: str) -> Table:
    """Return what a row says of the paper's statements, with how each is checked in the notes."""
    columns = (
        Column("statement", "the paper on SE-ResNet-50", "left", prose=True),
        Column("units", "here", "left", prose=True),
        Column("figure", "figure [95 %]"),
        Column("confirmed", "confirmed", "left"),
        Column("judgement", "judgement", "left"),
    )
    return Table(
        f"statements-{key}",
        row.label,
        columns,
        tuple(_statement_row(found) for found in row.findings),
        notes=(
            _INTERVAL,
            *(f"{statement.claim} {statement.test}" for statement in STATEMENTS),
        ),
        subject=f"{row.label}: the paper's statements on gates",
    )


def _statement_row(found: StatementFinding) -> TableRow:
    why = f" ({found.why})" if found.why else ""
    return TableRow(
        (
            Text(found.statement.claim),
            Text(", ".join(found.units) or None),
            _figure(found),
            Text(_confirmed(found)),
            Text(f"{found.judgement}{why}"),
        )
    )


def unit_table(row: ProbedRow, key: str) -> Table:
    """Return the measures of a row's gates by unit."""
    return _measures(row, f"units-{key}", GATE_MEASURES, "gates by depth")


def channel_table(row: ProbedRow, key: str) -> Table:
    """Return how far the channels before and after each block say the same."""
    return _measures(row, f"channels-{key}", CHANNEL_MEASURES, "channels before and after the block")


def _measures(row: ProbedRow, key: str, names: Sequence[str], subject: str) -> Table:
    found = {name: row.over_seeds(name) for name in names}
    columns = (
        Column("unit", "unit", "left"),
        Column("channels", "channels"),
        *(Column(name, MEASURES[name].head) for name in names),
    )
    rows = []
    for unit in row.first.units:
        estimates = (found[name][unit.name] for name in names)
        cells = (Difference(e.mean, e.lo, e.hi, signed=False, decimals=3) for e in estimates)
        rows.append(TableRow((Text(unit.name), Number(unit.channels, 0), *cells)))
    seeds = ", ".join(map(str, row.networks))
    over = (
        f"Mean with 95 % t-interval over {len(row.networks)} trained seeds"
        if len(row.networks) > 1
        else "One trained seed"
    )
    notes = (
        f"{over} ({seeds}), on {counted(sum(row.first.images), 'test image')}.",
        *(f"{MEASURES[name].head.capitalize()}: {MEASURES[name].words}." for name in names),
    )
    made = Table(key, row.label, columns, tuple(rows), notes=notes, subject=f"{row.label}: {subject}")
    return made.without_empty_columns()
