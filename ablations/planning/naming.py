"""The names that a study gives to its rows: `labels`, from a row or a value of an axis to the name that is shown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ablations.errors import StudyError
from senet_core.errors import nearest

if TYPE_CHECKING:
    from ablations.planning.row import Row
    from ablations.planning.study import Study


def named_rows(study: Study, rows: Mapping[Hashable, Row]) -> dict[Hashable, Row]:
    """Return the rows under the names that the study gives them, at their places.

    A row is meant by its label ("SE tanh"), by an axis and its value ("excitation=tanh"), or by the value alone
    ("tanh") where one row has it. The names are shown only: trials, their keys and their order stay as they are.

    Args:
        study: whose `labels`.
        rows: by what makes them the same question, each with a label of its own.

    Raises:
        StudyError: a name is for no row or for several, or two rows would be called the same.
    """
    meant = _meant(rows)
    given: dict[str, tuple[str, str]] = {}
    for text, shown in study.labels.items():
        found = meant.get(text)
        if found is None:
            raise _no_row(study, text, rows)
        if len(found) > 1:
            several = ", ".join(map(repr, found[:4])) + (" or others" if len(found) > 4 else "")
            raise StudyError(
                f"study {study.name!r}: labels: {text!r} is in several rows; name one of {several}"
            )
        if found[0] in given:
            raise StudyError(
                f"study {study.name!r}: labels: {text!r} and {given[found[0]][0]!r} are one row; name it once"
            )
        given[found[0]] = (text, shown)
    named = {key: _renamed(row, given) for key, row in rows.items()}
    _refuse_equal_names(study, named)
    return named


def _meant(rows: Mapping[Hashable, Row]) -> dict[str, tuple[str, ...]]:
    """Return the labels of the rows that each text may mean; a row's own label comes before a value."""
    by_value: dict[str, list[str]] = {}
    for row in rows.values():
        for axis, value in row.values:
            if row.axis in (None, axis):  # a row that varies one axis has the baseline's values on the others
                for text in (value, f"{axis}={value}"):
                    by_value.setdefault(text, []).append(row.label)
    values = {text: tuple(dict.fromkeys(labels)) for text, labels in by_value.items()}
    return {**values, **{row.label: (row.label,) for row in rows.values()}}


def _renamed(row: Row, given: Mapping[str, tuple[str, str]]) -> Row:
    if row.label not in given:
        return row
    return replace(row, label=given[row.label][1], unnamed=row.label)


def _refuse_equal_names(study: Study, rows: Mapping[Hashable, Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows.values():
        other = seen.setdefault(row.label, row)
        if other is not row:
            one, two = (r.unnamed or r.label for r in (other, row))
            raise StudyError(
                f"study {study.name!r}: labels: the rows {one!r} and {two!r} would both be called {row.label!r}"
            )


def _no_row(study: Study, text: str, rows: Mapping[Hashable, Row]) -> StudyError:
    labels = [row.label for row in rows.values()]
    near = nearest(text, _meant(rows))
    hint = f" did you mean {near!r}?" if near else ""
    shown = ", ".join(labels[:20]) + (f" and {len(labels) - 20} more" if len(labels) > 20 else "")
    return StudyError(f"study {study.name!r}: labels: unknown row {text!r};{hint} rows: {shown}")
