"""The tables of "Where the variants help": the classes in which rows differ, and the images on which they agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ablations.analysis.results.outcomes.by_class import ByClass, OfClass, RowByClass
from ablations.analysis.tables.cells import Column, Difference, Number, Table, TableRow, Text, Value
from senet_core.words import counted

TITLE = "Where the variants help"
_MOST_NAMES = 6
_SHOWN_CLASSES = 3


def class_table(found: ByClass) -> Table:
    """Return the classes in which each row is better or worse than the baseline; its CSV has every class of every row.

    Args:
        found: of a study whose labels are known.
    """
    columns = (
        Column("variant", "variant", "left"),
        Column("lower_in", "lower error in", "left"),
        Column("higher_in", "higher error in", "left"),
        Column("lowest", "most below the baseline", "left", gives_way=1),
        Column("highest", "most above the baseline", "left", gives_way=1),
        Column("seeds", "seeds", gives_way=2),
    )
    compared = [row for row in found.rows if row.classes]
    rows = tuple(TableRow(tuple(_cells(row))) for row in compared)
    return Table(
        "by-class", "Errors by class", columns, rows, _notes(found), records=tuple(_records(compared))
    )


def agreement_table(found: ByClass) -> Table:
    """Return on how many test images each row agrees with the baseline and with itself, and what it always misses.

    Its CSV has every pair of rows, and each row paired with itself, between its seeds.
    """
    columns = (
        Column("variant", "variant", "left"),
        Column("error", "error, %"),
        Column("with_baseline", "agrees with the baseline, %"),
        Column("between_seeds", "two of its seeds agree, %"),
        Column("always_missed", f"test examples that {_which(found)} miss"),
    )
    rows = tuple(
        TableRow(
            (
                Text(row.label),
                Number(row.error),
                Number(_percent(row.with_baseline)),
                Number(_percent(row.between_seeds)),
                Number(row.missed, decimals=0),
            ),
            kind="baseline" if row.label == found.baseline else "variant",
        )
        for row in found.rows
    )
    notes = (
        "Two runs agree on a test example where both are right or both are wrong; any two here have different seeds. A"
        " row gets other ones right than the baseline as far as they agree less often than two seeds of one row do, on"
        " average of the two.",
        _missed(found),
    )
    return Table(
        "agreement",
        "On which test examples the rows agree",
        columns,
        rows,
        notes,
        records=tuple(_pairs(found)),
    )


def _cells(row: RowByClass) -> Iterator[Text | Difference | Number]:
    ordered = sorted(row.classes, key=_mean)
    below = [one for one in ordered if _mean(one) < 0]
    above = [one for one in reversed(ordered) if _mean(one) > 0]
    yield Text(row.label)
    for side in (below, above):
        yield Text(_names(one.name for one in side if one.differs))
    for side in (below, above):
        d = side[0].found.difference if side else None
        yield Text(None if d is None else f"{side[0].name} {Difference(d.mean, d.lo, d.hi).text()}")
    yield Number(row.seeds, decimals=0)


def _mean(one: OfClass) -> float:
    return one.found.difference.mean


def _names(names: Iterable[str]) -> str | None:
    found = list(names)
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return ", ".join(found[:_MOST_NAMES]) + more or None


def _records(rows: Sequence[RowByClass]) -> Iterator[Mapping[str, Value]]:
    for row in rows:
        for one in row.classes:
            d = one.found.difference
            yield {
                "variant": row.label,
                "class": one.name,
                "images": one.images,
                "seeds": d.seeds,
                "baseline_error": one.found.baseline,
                "difference": d.mean,
                "difference_se": d.se,
                "difference_lo": d.lo,
                "difference_hi": d.hi,
                "p": d.p,
                "p_corrected": one.p,
            }


def _pairs(found: ByClass) -> Iterator[Mapping[str, Value]]:
    for row in found.rows:
        yield {
            "variant": row.label,
            "other": row.label,
            "agreement": _percent(row.between_seeds),
            "error": row.error,
            "always_missed": row.missed,
        }
    for (one, other), share in found.agreements.items():
        yield {"variant": one, "other": other, "agreement": _percent(share)}


def _notes(found: ByClass) -> tuple[str, ...]:
    said = (
        "Error on the test images of one class minus the baseline's with the same seed, in points. Named are the"
        " classes that differ over new seeds and new images, after Holm's correction over all"
        f" {found.comparisons} pairs of row and class; the intervals hold for all of these together, 95 %. No verdict"
        " of this report rests on this section, whose chance to name a class wrongly, at most 5 %, comes on top of"
        " theirs."
    )
    if found.racing:
        return (said, "The race adds seeds yet: no class is tested, and none named, before it is over.")
    looked = "Seeds were added after an analysis, of which these intervals take no account."
    return (said, looked) if found.looked_at_before else (said,)


def _which(found: ByClass) -> str:
    uneven = any(row.seeds != found.seeds_of_missed for row in found.rows)
    return f"its first {counted(found.seeds_of_missed, 'seed')} all" if uneven else "all of its seeds"


def _missed(found: ByClass) -> str:
    share = 100 * found.missed / found.images
    said = (
        f"Every seed of every row misses {found.missed:,} of {found.images:,} test examples ({share:.2f} %)"
    )
    worst = [f"{name} ({count:,})" for name, count in found.missed_by_class.items()]
    if not worst:
        return f"{said}."
    more = " and others" if len(worst) > _SHOWN_CLASSES else ""
    return f"{said}; by class: {', '.join(worst[:_SHOWN_CLASSES])}{more}."


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
