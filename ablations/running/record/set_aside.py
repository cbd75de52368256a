"""Axis values that only ever fail are set aside, so that they do not use up the time of the others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from ablations.planning.design import Design
from ablations.planning.row import Cell
from ablations.running.record.trial_file import Record
from ablations.running.record.trial_record import Failure

ENOUGH = 3


class SetAside:
    """Which values of a study's axes have failed alike too often, without a success.

    Args:
        enough: how many identical failures set a value aside.
    """

    def __init__(self, enough: int = ENOUGH) -> None:
        self._enough = enough
        self._failures: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
        self._succeeded: set[tuple[str, str]] = set()

    def finished(self, cell: Cell) -> None:
        """Note a success."""
        self._succeeded.update(self._values(cell))

    def failed(self, cell: Cell, failure: Failure) -> None:
        """Note a failure; messages that differ in their numbers are alike."""
        alike = (failure.kind, re.sub(r"\d+", "#", failure.message))
        for value in self._values(cell):
            self._failures[value][alike] += 1

    def reason(self, cell: Cell) -> str | None:
        """Return why a cell's trials should not be tried now; None where they may."""
        for axis, text in self._values(cell):
            counts = self._failures.get((axis, text))
            if counts is None or (axis, text) in self._succeeded:
                continue
            (kind, _), count = counts.most_common(1)[0]
            if count >= self._enough:
                where = cell.label if axis == _ROW else f"{axis} {text}"
                return f"{where} is set aside: {count} trials failed alike ({kind}) and none finished"
        return None

    @staticmethod
    def _values(cell: Cell) -> tuple[tuple[str, str], ...]:
        return (*cell.values, (_ROW, cell.label))


_ROW = ""


def ended_keys(design: Design, record: Record) -> frozenset[str]:
    """Return the trials that are not waited for: those that failed, and those of values that would be set aside."""
    finished, failed = record.finished, record.failed
    aside = SetAside()
    for key, (cell, _) in design.by_key.items():
        failure = failed[key].failure if key in failed else None
        if key in finished:
            aside.finished(cell)
        elif failure is not None:
            aside.failed(cell, failure)
    hopeless = {cell.label for cell in design.cells if failed and aside.reason(cell) is not None}
    left = {key for key, (cell, _) in design.by_key.items() if key not in finished and cell.label in hopeless}
    return frozenset(left | (failed.keys() & design.by_key.keys()))
