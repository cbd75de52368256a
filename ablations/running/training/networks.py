"""The networks behind a study's rows: what each is, and which two are one."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from ablations.planning.datasets import dataset
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.planning.recipe import Recipe
    from ablations.planning.row import Cell
    from ablations.planning.trial import DataSpec
    from senet_core.fingerprint import Fingerprint, Structure

ASSUMED_CLASSES = 1000
"""Outputs of a network for a folder of images, whose classes are counted only when it is prepared."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class DataShape:
    """What a network must know of the data.

    Attributes:
        num_classes: outputs.
        image_shape: (C, H, W) in pixels.
        assumed: the number of classes is a guess, as only the prepared data would tell.
    """

    num_classes: int
    image_shape: tuple[int, int, int]
    assumed: bool


def data_shape(spec: DataSpec) -> DataShape:
    """Say what a network must know of a data set, without reading it.

    Raises:
        UserError: the name is unknown, or an image folder lacks its size.
    """
    known = dataset(spec.name)
    side = known.size or spec.size
    if side is None:
        raise UserError(f"data set {spec.name!r} needs a size in pixels")
    shape = (known.channels, side, side)
    return DataShape(known.classes or ASSUMED_CLASSES, shape, assumed=known.classes is None)


@dataclass
class Networks:
    """Structures and fingerprints of rows, each computed once for a network.

    A network that cannot be built or run has None: its trials will say what is wrong with it.

    Attributes:
        shape: of the data.
        patience: seconds of computing for one structure or fingerprint beyond which the others of its backbone are
            left out; None to compute them all.
        problems: row's label to why its network has no structure or fingerprint.
        left_out: rows whose structure or fingerprint would have taken too long, each with those seconds.
    """

    shape: DataShape
    patience: float | None = None
    problems: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, float] = field(default_factory=dict)
    _took: dict[str, float] = field(default_factory=dict)
    _structures: dict[Hashable, Structure | None] = field(default_factory=dict)
    _fingerprints: dict[Hashable, Fingerprint | None] = field(default_factory=dict)

    def structure(self, cell: Cell) -> Structure | None:
        """Return what a row's network is made of; it takes a tenth of a second for a small one."""
        from senet_core.fingerprint import structure

        return self._once(self._structures, cell, structure)

    def fingerprint(self, cell: Cell) -> Fingerprint | None:
        """Return what a row's network is and does; it takes some seconds for a large one."""
        from senet_core.fingerprint import fingerprint

        made_of = self.structure(cell)
        return None if made_of is None else self._once(self._fingerprints, cell, fingerprint, made_of=made_of)

    def identical(self, cells: Iterable[Cell]) -> tuple[tuple[Cell, Cell], ...]:
        """Return the pairs of rows that are one network, trained in one way on the same seeds.

        Fingerprints are taken of rows only that agree in recipe, parameters and multiply-adds.
        """
        groups: dict[Hashable, list[Cell]] = defaultdict(list)
        for cell in cells:
            made_of = self.structure(cell)
            if made_of is not None:
                cost = made_of.parameters, made_of.multiply_adds
                groups[(trained_as(cell.recipe), cell.repeat, *cost)].append(cell)
        return tuple(
            (one, other)
            for group in groups.values()
            for one, other in combinations(group, 2)
            if (mark := self.fingerprint(one)) is not None and mark == self.fingerprint(other)
        )

    def floor_notes(self, cells: Iterable[Cell]) -> tuple[str, ...]:
        """Say where the floor of one hidden unit acts, and which reductions have equal widths."""
        from senet_core.floor import Bottlenecks, floor_notes

        made_of = {cell: self.structure(cell) for cell in cells if cell.variant is not None}
        return floor_notes(
            Bottlenecks(cell.label, cell.backbone, cell.variant, dict(found.widths), dict(found.channels))
            for cell, found in made_of.items()
            if found is not None and cell.variant is not None
        )

    def _once(
        self, known: dict[Hashable, Value | None], cell: Cell, compute: Callable[..., Value], **given: object
    ) -> Value | None:
        key = (cell.backbone, cell.variant)
        if key not in known and self._takes_too_long(cell):
            return None
        if key not in known:
            began = time.process_time()
            try:
                shape = {"num_classes": self.shape.num_classes, "image_shape": self.shape.image_shape}
                known[key] = compute(*key, **shape, **given)
            except (
                Exception
            ) as error:  # foreign code may raise anything; a trial that fails is recorded with it
                known[key] = None
                reason = " ".join(str(error).split())
                self.problems[cell.label] = f"{type(error).__name__}: {reason}"
            self._took[cell.backbone] = time.process_time() - began
        return known[key]

    def _takes_too_long(self, cell: Cell) -> bool:
        took = self._took.get(cell.backbone, 0.0)
        if self.patience is None or took <= self.patience:
            return False
        self.left_out[cell.label] = took
        return True


def trained_as(recipe: Recipe) -> Recipe:
    """Return the recipe without what does nothing in it, and with the precision of this machine."""
    from ablations.running.machine.devices import choose_device, choose_precision

    precision = choose_precision(recipe.precision, choose_device())
    return recipe.effective.model_copy(update={"precision": precision})
