"""What is written down and what results/ give, where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_WIDTH = 60  # characters around the first that differs
_MOST = 5  # lines of one file that are shown


@dataclass(frozen=True)
class Difference:
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
        """Return one line for a person."""
        at = self.file if self.line is None else f"{self.file}:{self.line}"
        committed, regenerated = _around(self.committed, self.regenerated)
        return f"{at}: committed {committed}, regenerated {regenerated}"


def line_differences(file: str, committed: str, regenerated: str, first: int = 1) -> Iterator[Difference]:
    """Compare two texts line by line, and give the first few places that differ.

    Args:
        file: path within the clone.
        committed: what stands there.
        regenerated: what should.
        first: number of the first line.
    """
    old, new = committed.splitlines(), regenerated.splitlines()
    if old == new:
        return
    matched = SequenceMatcher(None, old, new, autojunk=False) if len(old) * len(new) < 1_000_000 else None
    blocks = (
        [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matched.get_opcodes() if tag != "equal"]
        if matched
        else []
    )
    shown, left = 0, 0
    for i1, i2, j1, j2 in blocks or [(0, len(old), 0, len(new))]:
        for place in range(max(i2 - i1, j2 - j1)):
            was = old[i1 + place] if i1 + place < i2 else ""
            now = new[j1 + place] if j1 + place < j2 else ""
            if was == now:
                continue
            if shown == _MOST:
                left += 1
                continue
            shown += 1
            yield Difference(file, first + min(i1 + place, max(len(old) - 1, 0)), was, now)
    if left:
        yield Difference(file, None, f"and {left} more lines", "differ as well")


def _around(committed: str, regenerated: str) -> tuple[str, str]:
    """Cut two texts to what is around the first character that differs."""
    same = next(
        (place for place, (a, b) in enumerate(zip(committed, regenerated, strict=False)) if a != b),
        min(len(committed), len(regenerated)),
    )
    start = max(0, same - _WIDTH // 2)
    return _cut(committed, start), _cut(regenerated, start)


def _cut(text: str, start: int) -> str:
    if not text:
        return "nothing"
    shown = text[start : start + _WIDTH]
    return f"{'…' if start else ''}{shown!r}{'…' if len(text) > start + _WIDTH else ''}"
