"""Notes where the bottleneck's floor of one unit makes two reductions the same, from the recorded widths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ablations.analysis.results.families import Outcome
from ablations.planning.networks.row import network_row
from ablations.running.record.trial_record import TrialResult
from senet_core.floor import Bottlenecks, floor_notes
from senet_core.floor import width_text as _width_text


def width_text(widths: Mapping[int, int]) -> str | None:
    """Return bottleneck units by stage: "1/2/4"; None where there are none."""
    return _width_text({stage: (width,) for stage, width in widths.items()})


def widths_of(outcome: Outcome) -> Mapping[int, int]:
    """Return a row's bottleneck units by stage number; empty for the plain network."""
    result = outcome.records[0].result if outcome.records else None
    if not isinstance(result, TrialResult):
        return {}
    return {int(stage): width for stage, width in result.bottleneck_widths.items()}


def width_notes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return where the floor of one unit acts, and which reductions have equal widths.

    Args:
        outcomes: rows of one table; those without recorded widths are passed over.

    Returns:
        Sentences, without markup.
    """
    recorded = [
        outcome for outcome in outcomes if network_row(outcome.row).variant is not None and widths_of(outcome)
    ]
    most: dict[tuple[str, str, int], int] = defaultdict(lambda: 1 << 62)
    for outcome in recorded:
        for stage, width in widths_of(outcome).items():
            channels = (width + 1) * _ratio(outcome, stage) - 1
            place = (*_group(outcome), stage)
            most[place] = min(channels, most[place])
    return floor_notes(_bottlenecks(outcome, most) for outcome in recorded)


def _bottlenecks(outcome: Outcome, most: Mapping[tuple[str, str, int], int]) -> Bottlenecks:
    """Return a row's widths with inferred channels, as none are recorded: width w under r means below (w + 1) r."""
    row = network_row(outcome.row)
    assert row.variant is not None
    return Bottlenecks(
        outcome.label,
        row.backbone,
        row.variant,
        {stage: (width,) for stage, width in widths_of(outcome).items()},
        {stage: (most[(*_group(outcome), stage)],) for stage in widths_of(outcome)},
    )


def _group(outcome: Outcome) -> tuple[str, str]:
    """Return what rows that weigh the same channels share: they differ in reduction and stages only."""
    row = network_row(outcome.row)
    assert row.variant is not None
    return row.backbone, str(replace(row.variant, reduction=1, stages=None))


def _ratio(outcome: Outcome, stage: int) -> int:
    row = network_row(outcome.row)
    assert row.variant is not None
    return row.variant.reduction_in(stage)
