"""What is kept of a network's gates: statistics by unit, which are small, in the place of gates by image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.probe.gate_statistics import (
    Floats,
    class_deviations,
    class_means,
    class_shares,
    constant_error,
    dimensions,
    image_share,
    likeness,
    mean_correlation,
    one_error,
    saturation,
)
from ablations.running.probe.collecting import CollectedGates, UnitGates


@dataclass(frozen=True)
class Measure:
    """A number of each unit.

    Attributes:
        head: as plots and tables call it.
        words: what it is, for the page.
        bounds: its lowest and highest possible value; None where there is none.
    """

    head: str
    words: str
    bounds: tuple[float | None, float | None] = (0, 1)


MEASURES: Mapping[str, Measure] = {
    "class_share": Measure(
        "variance between classes",
        "share of a channel's variance over images that lies between classes, corrected for chance (epsilon squared),"
        " mean over channels",
        (None, 1),
    ),
    "low": Measure("near lower end", "share of gates in the lowest 5 % of the excitation's range"),
    "high": Measure("near upper end", "share of gates in the highest 5 % of the excitation's range"),
    "image_share": Measure(
        "variance over images",
        "share of the gates' variance that lies over images, the rest lying between channels; 0 where each channel has"
        " one gate for all images",
    ),
    "constant_error": Measure(
        "distance from a constant",
        "error of one constant for each channel in the gate's place, relative to the gate's root mean square",
    ),
    "one_error": Measure(
        "distance from one",
        "root mean square of (gate − 1), or of the gate where it is added or scales by 1 + gate; 0 where the block"
        " changes nothing",
        (0, None),
    ),
    "likeness": Measure(
        "likeness of classes",
        "correlation over channels of a class's mean gates with those of the other classes, mean over classes",
        (-1, 1),
    ),
    "correlation_before": Measure(
        "correlation before",
        "mean absolute correlation over images of two channels' means over positions, in the map that is gated",
    ),
    "correlation_after": Measure("correlation after", "the same in the map that the block returns"),
    "dimensions_before": Measure(
        "dimensions before",
        "participation ratio of the covariance of the channels' means over positions, as a share of the channels, in"
        " the map that is gated",
    ),
    "dimensions_after": Measure("dimensions after", "the same in the map that the block returns"),
}
"""What is measured of every unit, by name."""


@dataclass(frozen=True, eq=False)
class UnitSummary:
    """What is known of the gates of one unit of one trained network.

    Attributes:
        name: in the paper's manner, "SE_4_6".
        stage: in the paper's numbers.
        place: in the stage, from 1.
        channels: that are gated.
        means: of all images, (channels,).
        by_class: mean gate of each class (Fig. 6), (classes, channels), as float32 has it, for files have no more;
            NaN for a class without images.
        spread: standard deviation over the images of each class (Fig. 7), likewise.
        values: by the names of MEASURES; None where there is none.
    """

    name: str
    stage: int
    place: int
    channels: int
    means: Floats
    by_class: Floats
    spread: Floats
    values: Mapping[str, float | None]


@dataclass(frozen=True, eq=False)
class NetworkSummary:
    """What is known of the gates of one trained network.

    Attributes:
        units: from the first to the last.
        images: how many of each class, (classes,).
        not_probed: blocks that were not read, by their path, with the reason.
    """

    units: tuple[UnitSummary, ...]
    images: tuple[int, ...]
    not_probed: Mapping[str, str]

    @property
    def stages(self) -> dict[int, tuple[UnitSummary, ...]]:
        """The units of each stage that has gates."""
        numbers = sorted({unit.stage for unit in self.units})
        return {number: tuple(unit for unit in self.units if unit.stage == number) for number in numbers}


def summarise(collected: CollectedGates, classes: int) -> NetworkSummary:
    """Return what is kept of a network's gates.

    Args:
        collected: of all images.
        classes: how many there are, also without images.
    """
    units = tuple(_unit(unit, collected, classes) for unit in collected.units)
    images = np.bincount(collected.labels, minlength=classes)
    return NetworkSummary(units, tuple(map(int, images)), dict(collected.not_probed))


def _unit(unit: UnitGates, collected: CollectedGates, classes: int) -> UnitSummary:
    gates, labels = unit.gates, collected.labels
    by_class = class_means(gates, labels, classes)
    kept, spread = map(_as_kept, (by_class, class_deviations(gates, labels, classes)))
    shares = class_shares(gates, labels)
    ends = saturation(gates, unit.ends)
    values: dict[str, float | None] = {
        "class_share": None if np.isnan(shares).all() else float(np.nanmean(shares)),
        "low": None if ends is None else ends[0],
        "high": None if ends is None else ends[1],
        "image_share": image_share(gates),
        "constant_error": constant_error(gates),
        "one_error": one_error(gates, unit.neutral),
        "likeness": likeness(by_class),
        **dict(_redundancy(unit)),
    }
    return UnitSummary(
        unit.name,
        unit.stage,
        unit.place,
        gates.shape[1],
        mean_gates(kept, np.bincount(labels, minlength=classes)),
        kept,
        spread,
        {name: values[name] for name in MEASURES},
    )


def _as_kept(made: Floats) -> Floats:
    return made.astype(np.float32).astype(np.float64)


def mean_gates(by_class: Floats, images: NDArray[np.integer[Any]]) -> Floats:
    """Return the mean over all images, (channels,), from those of the classes, (classes, channels)."""
    there = images > 0
    return np.average(by_class[there], axis=0, weights=images[there])


def _redundancy(unit: UnitGates) -> Iterator[tuple[str, float | None]]:
    for side, means in (("before", unit.before), ("after", unit.after)):
        filled = None if means is None else dimensions(means)
        yield f"correlation_{side}", None if means is None else mean_correlation(means)
        yield f"dimensions_{side}", None if means is None or filled is None else filled / means.shape[1]
