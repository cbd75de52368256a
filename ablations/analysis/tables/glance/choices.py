"""The answer of a study that varies several axes, each alone: which of these choices make a difference."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.analysis.tables.glance.clauses import (
    Named,
    alike,
    listed,
    nearest,
    reach,
    sentence,
    shown,
    undetermined,
)
from ablations.planning.metric import Metric

Axes = dict[str, list[Named]]
"""The rows of each axis."""


def choice_sentences(axes: Axes, plain: Named | None, metric: Metric, against: str) -> tuple[str, ...]:
    """Return how the plain network compares, which axes make a difference, and what is open.

    Args:
        axes: rows that vary one axis alone, with verdicts; those without a result are passed over.
        plain: the plain network; None where there is none.
        metric: what is compared.
        against: the baseline with its level.

    Returns:
        Two or three sentences; none of fewer than two axes, or where none is shown to make a difference.
    """
    plain = plain if plain is not None and plain[1].difference.n else None
    differing = {axis: found for axis, rows in axes.items() if (found := shown(rows, metric))}
    if len(axes) < 2 or not differing:
        return ()
    ranked = sorted(differing, key=lambda axis: -_largest(axes[axis]))
    verdicts = {c.reading.verdict for rows in (*axes.values(), [plain] if plain else []) for _, c in rows}
    never = [metric.word(verdict) for verdict in ("better", "worse") if verdict not in verdicts]
    none = f"; no row is shown to be {never[0]}" if never else ""
    depends = f"depends on {'; on '.join(f'{axis}: {differing[axis]}' for axis in ranked)}{none}."
    settled = plain is not None and shown([plain], metric)
    said = (
        (f"Compared with {against}, the {metric.noun} is {settled}.", f"The {metric.noun} {depends}")
        if settled
        else (f"Compared with {against}, the {metric.noun} {depends}",)
    )
    rest = _rest(axes, [] if plain is None or settled else [plain], metric)
    return (*said, rest) if rest else said


def _rest(axes: Axes, plain: Sequence[Named], metric: Metric) -> str:
    """Return what is shown to stay within the margin and what is undetermined; whole axes by their names alone."""
    said = []
    names, rows = _grouped(axes, plain, ("equivalent",))
    if rows:
        said.append(alike(_joined(names), rows[0][1].margin, metric))
    names, rows = _grouped(axes, plain, ("undetermined", "no claim"))
    if rows:
        near = nearest(rows)
        open_now = undetermined(sum(map(len, names)))
        said.append(f"{open_now} {_joined(names)}: {reach(rows, metric)}{f'; {near}' if near else ''}")
    return sentence(said)


def _grouped(
    axes: Axes, plain: Sequence[Named], verdicts: Sequence[str]
) -> tuple[tuple[list[str], list[str]], list[Named]]:
    """Return the measured rows with one of these verdicts, and their names: of whole axes, and of rows."""
    whole, found = [], [row for row in plain if row[1].reading.verdict in verdicts]
    single = [name for name, _ in found]
    for axis, rows in axes.items():
        chosen = [row for row in rows if row[1].difference.n and row[1].reading.verdict in verdicts]
        found += chosen
        if len(chosen) == len(rows) > 0:
            whole.append(axis)
        else:
            single += [name for name, _ in chosen]
    return (whole, single), found


def _joined(names: tuple[list[str], list[str]]) -> str:
    return ", and ".join(listed(some) for some in names if some)


def _largest(rows: Sequence[Named]) -> float:
    """Return the size of the largest difference that is shown."""
    return max(abs(c.difference.mean or 0.0) for _, c in rows if c.reading.verdict in ("better", "worse"))
