"""What a reader of a probe sees first: how the paper's statements fare, and what the gates do beyond a fixed scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.statements import STATEMENTS, Judgement
from ablations.analysis.tables.cells import fixed
from ablations.analysis.tables.glance.glance import FirstScreen
from senet_core.words import counted

_QUESTION = (
    "What do the gates of trained networks say: do they differ between classes, between images, from a constant, and"
    " how does that change with depth? After the paper's section 7.2, Fig. 6 and 7."
)
_NAMED = 3
"""Rows that a sentence names; of more it says what they have together."""
_VERBS = {"confirmed": "confirms", "contradicted": "contradicts", "undetermined": "leaves open"}


def first_screen(probe: GateProbe) -> FirstScreen:
    """Return the first screen of a probe's page."""
    answer = (_tally(probe.rows), *_shared(probe.rows), *_beyond_constants(probe.rows))
    return FirstScreen(question=_QUESTION, answer=answer, cost=_looked_at(probe.rows))


def _tally(rows: Sequence[ProbedRow]) -> str:
    """Return how many of the statements the rows confirm, contradict and leave open."""
    counts = {j: [sum(f.judgement == j for f in row.findings) for row in rows] for j in get_args(Judgement)}
    said = _joined([f"{_VERBS[j]} {_range(found)}" for j, found in counts.items() if any(found)])
    who = rows[0].label if len(rows) == 1 else f"each of {len(rows)} rows"
    return f"Of the paper's {len(STATEMENTS)} statements on the gates of its SE-ResNet-50, {who} {said}."


def _shared(rows: Sequence[ProbedRow]) -> Iterator[str]:
    """Yield which statements all rows confirm and contradict, where there are several rows."""
    said = []
    for judgement, verb in (("confirmed", "confirm"), ("contradicted", "contradict")):
        places = [
            p for p in range(len(STATEMENTS)) if all(r.findings[p].judgement == judgement for r in rows)
        ]
        claims = [STATEMENTS[place].claim.rstrip(".") for place in places]
        if claims:
            said.append(f"{verb} that {'; that '.join(claim[0].lower() + claim[1:] for claim in claims)}")
    if said and len(rows) > 1:
        yield f"All of them {', and '.join(said)}."


def _beyond_constants(rows: Sequence[ProbedRow]) -> Iterator[str]:
    """Yield how wrong one constant for each channel would be in the gates' place."""
    found = [
        [one.mean for one in row.over_seeds("constant_error").values() if one.mean is not None]
        for row in rows
    ]
    known = [(row.label, errors) for row, errors in zip(rows, found, strict=True) if errors]
    if not known:
        return
    if len(known) <= _NAMED:
        of_rows = _joined([f"{_per_cent(errors)} in {label}" for label, errors in known])
    else:
        of_rows = f"{_per_cent([error for _, errors in known for error in errors])} in these rows"
    yield (
        "In the place of a gate, one constant for each channel would be wrong by"
        f" {of_rows}, from unit to unit: so much do gates follow the image."
    )


def _looked_at(rows: Sequence[ProbedRow]) -> str:
    networks = sum(len(row.networks) for row in rows)
    images = sum(rows[0].first.images)
    return (
        f"Gates of {counted(networks, 'trained network')} in {counted(len(rows), 'row')}, on"
        f" {counted(images, 'test image')} each; nothing was trained for this page."
    )


def _per_cent(errors: Sequence[float]) -> str:
    low, high = fixed(100 * min(errors), 1), fixed(100 * max(errors), 1)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _joined(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
