"""The networks of a study's rows: their structures, and which rows have identical networks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from ablations.planning.networks.datasets import dataset
from senet_core.errors import typed_line

if TYPE_CHECKING:
    from ablations.planning.networks.data_spec import DataSpec
    from ablations.planning.networks.row import NetworkRow
    from senet_core.fingerprint import Fingerprint, Structure

ASSUMED_CLASSES = 1000
"""Outputs of a network for a folder of images, whose classes are known only when it is prepared."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class DataShape:
    """The shape of the data, which determines inputs and outputs of a network.

    Attributes:
        num_classes: outputs.
        image_shape: (C, H, W) in pixels.
        assumed: whether `num_classes` is `ASSUMED_CLASSES`.
    """

    num_classes: int
    image_shape: tuple[int, int, int]
    assumed: bool


def data_shape(spec: DataSpec) -> DataShape:
    """Return the shape of a data set, without reading it."""
    known = dataset(spec.name)
    side = known.size or spec.size
    assert side is not None  # DataSpec has checked it
    shape = (known.channels, side, side)
    return DataShape(known.classes or ASSUMED_CLASSES, shape, assumed=known.classes is None)


@dataclass
class Networks:
    """Structures and fingerprints of rows, computed once for each network.

    They are None for a network that cannot be built or run; its trials will fail with the reason.

    Attributes:
        shape_of: the shape of a row's data.
        limit_seconds: where one structure or fingerprint takes longer, the others of its backbone are left out; None
            to compute them all.
        problems: why a network has no structure or fingerprint, by the row's label.
        left_out: seconds of the rows, by label, that were left out.
    """

    shape_of: Callable[[DataSpec], DataShape] = data_shape
    limit_seconds: float | None = None
    problems: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, float] = field(default_factory=dict)
    _took: dict[str, float] = field(default_factory=dict)
    _structures: dict[Hashable, Structure | None] = field(default_factory=dict)
    _fingerprints: dict[Hashable, Fingerprint | None] = field(default_factory=dict)

    def structure(self, row: NetworkRow) -> Structure | None:
        """Return the structure of a row's network; takes 0.1 s for a small one."""
        from senet_core.fingerprint import structure

        return self._once(self._structures, row, structure)

    def fingerprint(self, row: NetworkRow) -> Fingerprint | None:
        """Return the fingerprint of a row's network; takes some seconds for a large one."""
        from senet_core.fingerprint import fingerprint

        made_of = self.structure(row)
        return None if made_of is None else self._once(self._fingerprints, row, fingerprint, made_of=made_of)

    def identical(self, rows: Iterable[NetworkRow]) -> tuple[tuple[NetworkRow, NetworkRow], ...]:
        """Return the pairs of rows with identical networks, trained in the same way on the same seeds.

        Only rows that agree in recipe, parameters and multiply-adds are compared by fingerprint.
        """
        groups: dict[Hashable, list[NetworkRow]] = defaultdict(list)
        for row in rows:
            made_of = self.structure(row)
            if made_of is not None:
                cost = made_of.parameters, made_of.multiply_adds
                groups[(row.task, row.recipe.effective, row.repeat, *cost)].append(row)
        return tuple(
            (one, other)
            for group in groups.values()
            for one, other in combinations(group, 2)
            if (mark := self.fingerprint(one)) is not None and mark == self.fingerprint(other)
        )

    def floor_notes(self, rows: Iterable[NetworkRow]) -> tuple[str, ...]:
        """Return notes on where the floor of one hidden unit acts, and which reductions have equal widths."""
        from senet_core.floor import Bottlenecks, floor_notes

        made_of = {row: self.structure(row) for row in rows if row.variant is not None}
        return floor_notes(
            Bottlenecks(row.label, row.backbone, row.variant, dict(found.widths), dict(found.channels))
            for row, found in made_of.items()
            if found is not None and found.widths and row.variant is not None
        )

    def _once(
        self,
        known: dict[Hashable, Value | None],
        row: NetworkRow,
        compute: Callable[..., Value],
        **given: object,
    ) -> Value | None:
        shape = self.shape_of(row.data)
        key = (row.backbone, row.variant, shape)
        if key not in known and self._takes_too_long(row):
            return None
        if key not in known:
            began = time.process_time()
            try:
                of_data = {"num_classes": shape.num_classes, "image_shape": shape.image_shape}
                known[key] = compute(row.backbone, row.variant, **of_data, **given)
            except Exception as error:  # a plug-in may raise anything
                known[key] = None
                self.problems[row.label] = typed_line(error)
            self._took[row.backbone] = time.process_time() - began
        return known[key]

    def _takes_too_long(self, row: NetworkRow) -> bool:
        took = self._took.get(row.backbone, 0.0)
        if self.limit_seconds is None or took <= self.limit_seconds:
            return False
        self.left_out[row.label] = took
        return True
