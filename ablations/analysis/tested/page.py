"""The tables of tests after the training, in the layout of the paper's Tables 8 and 9."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.cells import (
    Column,
    Difference,
    Number,
    Table,
    TableCell,
    TableRow,
    Text,
    Value,
    fixed,
)
from ablations.analysis.tables.comparisons.verdicts import verdict_cell
from ablations.analysis.tested.summary import Tried, TriedRow

TITLE = "Tests after the training"

_NOTES = (
    "Each answer is the mean of probabilities: over the views of an image, and in an ensemble over its networks."
    " Nothing is trained or chosen on these tests, and no verdict of this report rests on them; the verdicts of"
    " each test are corrected for its own rows.",
    "Intervals, 95 %: of single networks and of ensembles that each seed has, over new seeds and new test images; of"
    " the one ensemble of a row's seeds, by bootstrap over new test images alone, for these very networks. Each is"
    " taken alone; verdicts alone are corrected.",
)
_COPIES = (
    "Where the same images come corrupted in several ways, intervals and verdicts of single networks are over new"
    " seeds, on these images, and nothing is called equivalent."
)


def tables_of_tests(tried: Sequence[Tried]) -> tuple[Table, ...]:
    """Return the errors of every test side by side (Table 8), and each test with its comparisons (Table 9).

    Args:
        tried: at least one.
    """
    notes = (*_NOTES, *((_COPIES,) if any(one.copies > 1 for one in tried) else ()))
    side_by_side = (_side_by_side(tried),) if len(tried) > 1 else ()
    return (*side_by_side, _each(tried, notes))


def _side_by_side(tried: Sequence[Tried]) -> Table:
    """Return a column for each test, with top-1 and top-5 error, as Table 8 has one for each size of a crop."""
    names: dict[tuple[str, int], TriedRow] = {}
    for one in tried:
        names |= {
            (row.label, row.networks): row for row in one.rows if (row.label, row.networks) not in names
        }
    columns = (
        Column("model", "model", "left"),
        *(Column(f"test_{place}", words_of_test(one)) for place, one in enumerate(tried)),
    )
    rows = tuple(
        TableRow((Text(model_name(row)), *(_errors(one, name) for one in tried)), kind=row.kind)
        for name, row in sorted(names.items(), key=lambda item: item[1].networks > 1)
    )
    return Table("tests-side-by-side", "Top-1 and top-5 error by test, %", columns, rows)


def _errors(one: Tried, name: tuple[str, int]) -> Text:
    row = next((row for row in one.rows if (row.label, row.networks) == name), None)
    if row is None:
        return Text(None)
    top5 = "" if row.top5 is None else f" / {fixed(row.top5, 2)}"
    return Text(f"{fixed(row.top1.mean, 2)}{top5}")


def _each(tried: Sequence[Tried], notes: tuple[str, ...]) -> Table:
    columns = (
        Column("model", "model", "left"),
        Column("test", "test", "left"),
        Column("top1", "top-1 error, %"),
        Column("top5", "top-5 error, %", gives_way=1),
        Column("difference", "difference to baseline"),
        Column("verdict", "verdict", "left"),
        Column("gain", "difference to single networks on one crop", gives_way=2),
    )
    rows = tuple(TableRow(tuple(_cells(one, row)), kind=row.kind) for one in tried for row in one.rows)
    records = tuple(_record(one, row) for one in tried for row in one.rows)
    return Table("tests", TITLE, columns, rows, notes, records=records).without_empty_columns()


def _cells(one: Tried, row: TriedRow) -> Iterator[TableCell]:
    yield Text(model_name(row))
    yield Text(words_of_test(one))
    yield Difference(row.top1.mean, row.top1.lo, row.top1.hi, signed=False)
    yield Number(row.top5)
    yield _difference(row.difference)
    yield verdict_cell(row.comparison, "baseline" if row.kind == "baseline" else None)
    yield _difference(row.gain)


def _difference(found: Interval | None) -> Difference:
    return Difference(None, None, None) if found is None else Difference(*found)


def model_name(row: TriedRow) -> str:
    """Return the name of a row, with how many networks answer together."""
    return row.label if row.networks == 1 else f"{row.label}, {row.networks} networks together"


def words_of_test(one: Tried) -> str:
    """Return what was seen of which images."""
    return f"{one.images}, {one.views}"


def _record(one: Tried, row: TriedRow) -> Mapping[str, Value]:
    intervals = {"top1": row.top1, "difference": row.difference, "gain": row.gain}
    numbers = {
        f"{name}{end}": value
        for name, found in intervals.items()
        for end, value in zip(("", "_lo", "_hi"), found or (None, None, None), strict=True)
    }
    return {
        "model": row.label,
        "networks": row.networks,
        "seeds": row.seeds,
        "images": one.images,
        "image_count": one.count,
        "copies": one.copies,
        **{name: value for name, value in one.views.to_json().items() if name != "flip"},
        "flip": int(one.views.mirrored),
        **numbers,
        "top5": row.top5,
        "verdict": None if row.comparison is None else row.comparison.reading.verdict,
    }
