"""Gates of networks that were never trained: what is planted in them is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.summary import NetworkSummary, summarise
from ablations.running.probe.collecting import CollectedGates, UnitGates

CLASSES, IMAGES, CHANNELS = 4, 40, 6
LABELS = np.arange(IMAGES) % CLASSES
NINE = tuple(f"SE_{stage}_{place}" for stage in (2, 3, 4) for place in (1, 2, 3))


def gates(
    seed: int, *, between: float = 0.1, within: float = 0.1, level: float = 0.5, shape: float = 0.0
) -> np.ndarray:
    """Gates around a level: with a part for each class and channel, one for each image, and one for each channel."""
    draw = np.random.default_rng(seed)
    of_class = draw.normal(size=(CLASSES, CHANNELS))[LABELS]
    of_image, of_channel = draw.normal(size=(IMAGES, CHANNELS)), draw.normal(size=CHANNELS)
    made = level + between * of_class + within * of_image + shape * of_channel
    return np.clip(made, 0, 1).astype(np.float32)


def network(
    seed: int = 0,
    changed: Mapping[str, Mapping[str, float]] | None = None,
    names: Sequence[str] = NINE,
    ends: tuple[float, float] | None = (0, 1),
) -> NetworkSummary:
    """A network of these units; `changed` says how some of them differ, see `gates`."""
    return summarise(CollectedGates(LABELS, collected_units(seed, changed, names, ends), {}), CLASSES)


def collected_units(
    seed: int = 0,
    changed: Mapping[str, Mapping[str, float]] | None = None,
    names: Sequence[str] = NINE[:3],
    ends: tuple[float, float] | None = (0, 1),
) -> tuple[UnitGates, ...]:
    """The gates of these units, image by image; arguments as of `network`."""
    units = []
    for number, name in enumerate(names):
        _, stage, place = name.split("_")
        made = gates(100 * seed + number, **(changed or {}).get(name, {}))
        before = np.random.default_rng(number).normal(size=made.shape).astype(np.float32)
        units.append(UnitGates(name, int(stage), int(place), name, made, before, before * made, ends))
    return tuple(units)


def probe(seeds: int = 3, names: Sequence[str] = NINE) -> GateProbe:
    """A probe of one row with some seeds."""
    networks = {seed: network(seed, names=names) for seed in range(seeds)}
    return GateProbe("made", ("cat", "dog", "emu", "fox"), (ProbedRow("SE r=4", networks),))
