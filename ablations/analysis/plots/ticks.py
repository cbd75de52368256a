"""Ticks that can be read: as many as have room, and no long rows of zeros."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, ScalarFormatter
from matplotlib.transforms import Bbox

_GAP = 2.0  # points on paper between two labels
_LARGE, _SMALL = 1e5, 1e-3  # from these sizes on a power of ten stands in the axis's label
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scaled_numbers(axis: Axis) -> str:
    """Write the numbers of an axis without offset, and those of very large or small ones in a power of ten.

    Returns:
        What the axis's label has to say: "" or " (× 10⁻⁴)".
    """
    most = max(map(abs, axis.get_view_interval()))
    power = math.floor(math.log10(most)) if most and not _SMALL <= most < _LARGE else 0
    plain, scaled = _formatter(0), _formatter(power)
    if not power or _longest(scaled, axis) >= _longest(plain, axis):
        axis.set_major_formatter(plain)
        return ""
    axis.set_major_formatter(scaled)
    axis.offsetText.set_visible(False)
    return f" (× 10{str(power).translate(_SUPERSCRIPTS)})"


def _formatter(power: int) -> ScalarFormatter:
    made = ScalarFormatter(useOffset=False)
    made.set_scientific(power != 0)
    made.set_powerlimits((power, power))
    return made


def _longest(formatter: ScalarFormatter, axis: Axis) -> int:
    axis.set_major_formatter(formatter)
    return max(map(len, formatter.format_ticks(list(axis.get_majorticklocs()))), default=0)


def thin_ticks(panels: Iterable[Axes]) -> None:
    """Leave out ticks until no two labels of an axis touch; the figure's layout must be fixed.

    Categories and logarithmic axes keep their kind: of these only every decade, and then every other one remains.
    """
    for axes in panels:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_locator(), LogLocator):
                _thin_decades(axis)
            elif isinstance(axis.get_major_locator(), MaxNLocator):
                _thin(axis)


def label_boxes(axis: Axis) -> list[Bbox]:
    """Return the boxes of the labels that are shown at an axis, in pixels."""
    axis.get_majorticklabels()  # puts the labels where they belong, as drawing the whole figure would
    low, high = sorted(axis.get_view_interval())
    reach = 1e-9 * (high - low)
    return [
        tick.label1.get_window_extent()
        for tick in axis.get_major_ticks()
        if low - reach <= tick.get_loc() <= high + reach
        and tick.label1.get_visible()
        and tick.label1.get_text()
    ]


def _thin(axis: Axis) -> None:
    old = axis.get_major_locator()
    assert isinstance(old, MaxNLocator)
    most = len(axis.get_majorticklocs())
    while _touch(axis):
        most -= 1
        if most < 1:
            low, high = axis.get_view_interval()
            axis.set_major_locator(FixedLocator([(low + high) / 2]))
            return
        axis.set_major_locator(MaxNLocator(most, integer=getattr(old, "_integer", False)))


def _thin_decades(axis: Axis) -> None:
    for locator in (
        LogLocator(subs=(1, 3)),
        LogLocator(subs=(1,)),
        *(LogLocator(numticks=n) for n in (5, 4, 3, 2)),
    ):
        if not _touch(axis):
            return
        axis.set_major_locator(locator)


def _touch(axis: Axis) -> bool:
    figure = axis.get_figure(root=True)
    assert figure is not None
    boxes = label_boxes(axis)
    gap = _GAP * figure.dpi / 72
    return any(_apart(a, b) < gap for a, b in pairwise(boxes))


def _apart(a: Bbox, b: Bbox) -> float:
    """Return the pixels between two boxes that lie beside or above each other."""
    return float(max(b.x0 - a.x1, a.x0 - b.x1, b.y0 - a.y1, a.y0 - b.y1))
