"""Where what is written down is not what results/ give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

_WIDTH = 60  # characters around the first that differs
_MOST = 5  # lines of one file that are shown
_PAIRS = 1_000_000  # of lines; longer files are compared line by line, without looking for lines that moved


@dataclass(frozen=True)
class Mismatch:
    """One place that is not as results/ give it.

    Attributes:
        file: path within the clone.
        line: from 1; None for a file as a whole.
        committed: what stands there.
        regenerated: what should.
    """

    file: str
    line: int | None
    committed: str
    regenerated: str

    def __str__(self) -> str:
        """Return one line for a person, with what is around the first character that differs."""
        at = self.file if self.line is None else f"{self.file}:{self.line}"
        pairs = enumerate(zip_longest(self.committed, self.regenerated))
        first = next((place for place, (a, b) in pairs if a != b), 0)
        start = max(0, first - _WIDTH // 2)
        return f"{at}: committed {_cut(self.committed, start)}, regenerated {_cut(self.regenerated, start)}"


def line_mismatches(file: str, committed: str, regenerated: str, first: int = 1) -> Iterator[Mismatch]:
    """Compare two texts line by line, and yield the first few places that differ.

    Args:
        file: path within the clone.
        committed: what stands there.
        regenerated: what should.
        first: number of the first line.
    """
    old, new = committed.splitlines(), regenerated.splitlines()
    blocks = [(0, len(old), 0, len(new))]
    if len(old) * len(new) < _PAIRS:
        matched = SequenceMatcher(None, old, new, autojunk=False)
        blocks = [code[1:] for code in matched.get_opcodes() if code[0] != "equal"]
    last = max(len(old) - 1, 0)
    found = [
        Mismatch(file, first + min(i1 + place, last), was, now)
        for i1, i2, j1, j2 in blocks
        for place, (was, now) in enumerate(zip_longest(old[i1:i2], new[j1:j2], fillvalue=""))
        if was != now
    ]
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield Mismatch(file, None, f"and {len(found) - _MOST} more lines", "differ as well")


def _cut(text: str, start: int) -> str:
    if not text:
        return "nothing"
    shown = text[start : start + _WIDTH]
    return f"{'…' if start else ''}{shown!r}{'…' if len(text) > start + _WIDTH else ''}"
