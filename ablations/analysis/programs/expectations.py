"""Verdicts that somebody expects of rows, such as "SE r=8: not worse", and which of them do not hold.

An expectation holds where it is shown. "not worse" is not what is left when nothing is shown: it holds for "better" and
"equivalent" alone, and an undetermined row, one with too few seeds and one of an unfinished study fulfil nothing of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ablations.analysis.programs.document import Document, DocumentRow
from ablations.analysis.stats.verdict import Verdict
from senet_core.errors import UserError, unknown

_SHOWN: tuple[Verdict, ...] = ("better", "worse", "equivalent")
_NAMES: dict[str, Verdict] = {name: name for name in (*_SHOWN, "undetermined")}
_FORM = 'an expectation is "ROW: VERDICT", such as "SE r=8: not worse"'


@dataclass(frozen=True)
class Expectation:
    """What is expected of a row.

    Attributes:
        row: its label.
        words: the verdicts, as they were typed.
        verdicts: one of these must be the row's.
    """

    row: str
    words: str
    verdicts: frozenset[Verdict]


def parse_expectation(text: str) -> Expectation:
    """Read "ROW: VERDICT", split at the last colon.

    VERDICT is better, worse, equivalent or undetermined, or several of them joined by "or"; a "not" in front is for all
    of them, and leaves those of better, worse and equivalent that are not named.

    Raises:
        UserError: it has no colon, no row, or what is no verdict; or nothing could fulfil it.
    """
    row, colon, words = (part.strip() for part in unicodedata.normalize("NFC", text).rpartition(":"))
    named = " ".join(words.casefold().split())
    if not colon or not row or not named:
        raise UserError(f"{_FORM}; got {text!r}")
    alternatives = named.removeprefix("not ").split(" or ")
    verdicts = frozenset(map(_verdict, alternatives))
    if named.startswith("not "):
        verdicts = frozenset(_SHOWN) - verdicts
        if not verdicts:
            raise UserError(f"no verdict can fulfil {text!r}: it excludes {', '.join(_SHOWN)}")
    return Expectation(row, named, verdicts)


def check_rows(expected: Iterable[Expectation], document: Document) -> None:
    """Refuse expectations of what is not compared.

    Raises:
        UserError: a row is not there, or is the baseline.
    """
    labels = list(dict.fromkeys(row.label for row in document.rows))
    for expectation in expected:
        if expectation.row not in labels:
            raise unknown("row", expectation.row, labels)
        if expectation.row == document.baseline:
            raise UserError(
                f"{expectation.row!r} is the baseline, which is compared with nothing; rows that are: "
                + ", ".join(label for label in labels if label != document.baseline)
            )


def unfulfilled(expected: Iterable[Expectation], document: Document) -> Iterator[str]:
    """Return a line for each expectation that does not hold; one of several tasks must hold in each of them."""
    for expectation in expected:
        for row in document.rows:
            found = row.comparison
            if row.label != expectation.row or found is None or found.verdict in expectation.verdicts:
                continue
            verdict = "nothing yet" if found.verdict is None else found.verdict
            why = f" ({found.words})" if found.words != verdict else ""
            yield f"{_name(row)}: expected {expectation.words}, found {verdict}{why}, n = {found.n}"


def _verdict(word: str) -> Verdict:
    if word not in _NAMES:
        raise unknown("verdict", word, _NAMES)
    return _NAMES[word]


def _name(row: DocumentRow) -> str:
    return row.label if row.task is None else f"{row.label} (task {row.task})"
