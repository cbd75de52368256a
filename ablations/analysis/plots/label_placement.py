"""Placement of the labels of points in a plot, so that they cover neither each other nor the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in points (1/72 inch), x to the right and y upwards."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlap(self, other: Box) -> float:
        """Return the area in common."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def outside(self, frame: Box) -> float:
        """Return the area that lies outside of a frame."""
        return (self.x1 - self.x0) * (self.y1 - self.y0) - self.overlap(frame)


_ANGLES = tuple(
    math.radians(degrees)
    for degrees in (0, 180, 45, 135, -45, -135, 90, -90, 20, -20, 160, -160, 65, -65, 115, -115)
)
_DISTANCES = (5.0, 8.0, 12.0, 18.0, 26.0, 36.0, 48.0, 62.0, 80.0)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: Sequence[Box],
    frame: Box,
) -> list[Box]:
    """Return a box for each label, near its point and free of everything else where there is room.

    Greedy: points are served from the most crowded to the least, each taking the box with the least
    overlap, the nearest one among equals.

    Args:
        points: (x, y) of each point.
        sizes: (width, height) of each label.
        obstacles: what no label should cover, the markers included.
        frame: the plot's inside.
    """
    boxes: list[Box | None] = [None] * len(points)
    taken = list(obstacles)
    for index in sorted(range(len(points)), key=lambda i: (-_crowd(points, i), i)):
        candidates = _candidates(points[index], sizes[index])
        best = min(candidates, key=lambda c: _cost(c[1], c[0], taken, frame))
        boxes[index] = best[1]
        taken.append(best[1])
    return [box for box in boxes if box is not None]


def _candidates(point: tuple[float, float], size: tuple[float, float]) -> list[tuple[float, Box]]:
    x, y = point
    width, height = size
    found = []
    for distance in _DISTANCES:
        for angle in _ANGLES:
            across, up = math.cos(angle), math.sin(angle)
            left = x + across * distance - width * (1 - across) / 2
            bottom = y + up * distance - height * (1 - up) / 2
            found.append((distance, Box(left, bottom, left + width, bottom + height)))
    return found


def _cost(box: Box, distance: float, taken: Sequence[Box], frame: Box) -> float:
    covered = sum(box.overlap(other) for other in taken)
    return 3 * covered + 4 * box.outside(frame) + 0.35 * distance


def _crowd(points: Sequence[tuple[float, float]], index: int) -> float:
    x, y = points[index]
    return sum(1 / (1 + math.hypot(x - u, y - v)) for u, v in points)
