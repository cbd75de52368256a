"""Axis values that only ever fail are set aside, so that they take no time from the others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Mapping

from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.trial_record import Failure, TrialRecord

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

    def finished(self, row: Row) -> None:
        """Note a success."""
        self._succeeded.update(self._values(row))

    def failed(self, row: Row, failure: Failure) -> None:
        """Note a failure; messages that differ in their numbers are alike."""
        alike = (failure.kind, re.sub(r"\d+", "#", failure.message))
        for value in self._values(row):
            self._failures[value][alike] += 1

    def reason(self, row: Row) -> str | None:
        """Return why a row's trials should not be tried now; None where they may."""
        for axis, text in self._values(row):
            counts = self._failures.get((axis, text))
            if counts is None or (axis, text) in self._succeeded:
                continue
            (kind, _), count = counts.most_common(1)[0]
            if count >= self._enough:
                where = row.label if axis == _ROW else f"{axis} {text}"
                return f"{where} is set aside: {count} trials failed alike ({kind}) and none finished"
        return None

    @staticmethod
    def _values(row: Row) -> tuple[tuple[str, str], ...]:
        return (*row.values, (_ROW, row.label))


_ROW = ""


def ended_keys(
    by_key: Mapping[str, tuple[Row, Trial]], finished: Container[str], failed: Mapping[str, TrialRecord]
) -> frozenset[str]:
    """Return the trials that are not waited for: those that failed, and those of values that would be set aside.

    Args:
        by_key: every trial of the study, with its row.
        finished: keys of finished trials.
        failed: trials that failed and have no result, by key.
    """
    aside = SetAside()
    for key, (row, _) in by_key.items():
        failure = failed[key].failure if key in failed else None
        if key in finished:
            aside.finished(row)
        elif failure is not None:
            aside.failed(row, failure)
    if not failed:
        return frozenset()
    rows = {row.label: row for row, _ in by_key.values()}
    given_up = {label for label, row in rows.items() if aside.reason(row) is not None}
    left = {key for key, (row, _) in by_key.items() if key not in finished and row.label in given_up}
    return frozenset(left | (failed.keys() & by_key.keys()))
