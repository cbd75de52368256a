"""Parts of the sentences of a first screen: which rows differ and by how much, and how far the others may."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.tables.cells import about, fixed
from ablations.planning.metric import Metric
from senet_core.words import counted

_MOST_NAMED, _MOST_CHARACTERS = 5, 60
Named = tuple[str, Comparison]
"""A row as sentences call it, and how it compares."""


def shown(measured: Sequence[Named], metric: Metric) -> str:
    """Return "lower for A and B (by 1.2 to 2.3 points) and higher for C (by 3.0 points)"; "" where no row differs."""
    clauses = [_differing(measured, verdict, metric) for verdict in ("better", "worse")]
    return " and ".join(clause for clause in clauses if clause)


def alike(same: str, margin: float | None, metric: Metric) -> str:
    """Return what stays within the margin."""
    return f"for {same} it is shown to stay within {metric.with_points(f'{margin or 0:g}')}"


def sentence(clauses: Sequence[str]) -> str:
    """Return clauses as one sentence; "" for none."""
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def reach(left: Sequence[Named], metric: Metric) -> str:
    """Return how large the differences may be that are not shown, and of which rows the largest are."""
    counts = sorted({c.difference.n for _, c in left})
    runs = f"{counts[0]} runs each" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs each"
    known = [(name, c.difference) for name, c in left if c.reading.verdict == "undetermined"]
    lows = [(d.lo, name) for name, d in known if d.lo is not None]
    highs = [(d.hi, name) for name, d in known if d.hi is not None]
    if not lows or not highs:
        return f"with {runs} nothing is excluded"
    (lo, lowest), (hi, highest) = min(lows), max(highs)
    low, high = (_signed(end, metric) for end in (lo, hi))
    if len(left) == 1:
        return f"with {runs}, it may be anything from {low} to {high}"
    return f"after {runs}, they may be as much as {low} ({lowest}) or {high} ({highest})"


def undetermined(rows: int) -> str:
    """Return "undetermined are", with what that is."""
    return f"undetermined (not shown to differ, nor to be equivalent) {'is' if rows == 1 else 'are'}"


def _signed(end: float, metric: Metric) -> str:
    """Return an end of an interval as "0.30 points lower"."""
    return f"{metric.with_points(fixed(abs(end), metric.decimals))} {'lower' if end < 0 else 'higher'}"


def nearest(left: Sequence[Named]) -> str:
    """Return which open row is nearest to a verdict, and how far; "" where that is not known."""
    needed = [(c.more_seeds, name) for name, c in left if c.more_seeds is not None]
    if not needed:
        return ""
    fewest, name = min(needed)
    seeds = f"about {about(fewest)} more {'seed' if fewest == 1 else 'seeds'}"
    return f"{seeds} would probably give {'it' if len(left) == 1 else name} a verdict"


def listed(names: Sequence[str]) -> str:
    """Return "A", "A and B", "A, B and C", "A, B, C, D, E and 2 others"; of long names fewer, but two at least."""
    most = next((n for n in range(_MOST_NAMED, 2, -1) if len(", ".join(names[:n])) <= _MOST_CHARACTERS), 2)
    first = list(names[:most])
    if len(names) > len(first):
        first.append(counted(len(names) - len(first), "other"))
    return first[0] if len(first) == 1 else f"{', '.join(first[:-1])} and {first[-1]}"


def _differing(measured: Sequence[Named], verdict: str, metric: Metric) -> str:
    """Return "lower for A and B (by 1.2 to 2.3 points)"; "" where no row has this verdict."""
    found = [(name, abs(c.difference.mean or 0.0)) for name, c in measured if c.reading.verdict == verdict]
    if not found:
        return ""
    found.sort(key=lambda one: -one[1])
    sizes = list(dict.fromkeys(fixed(size, metric.decimals) for size in (found[-1][1], found[0][1])))
    by = metric.with_points(" and ".join(sizes[::-1]) if len(found) == 2 else " to ".join(sizes))
    return f"{metric.word(verdict)} for {listed([name for name, _ in found])} (by {by})"
