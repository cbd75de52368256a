"""NetworkRow: one network and recipe of a study, before it has seeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.row import Row
from senet_core.variants.text import variant_fields
from senet_core.variants.variant import SEVariant


@dataclass(frozen=True, kw_only=True)
class NetworkRow(Row):
    """One network and a recipe, to be trained with every seed.

    Attributes:
        backbone: its name.
        variant: its SE block; None for the plain network.
        data: which images.
        recipe: how to train.
        plugins: see `NetworkTrial`.
    """

    backbone: str
    variant: SEVariant | None
    data: DataSpec
    recipe: Recipe
    plugins: tuple[tuple[str, str], ...] = ()

    def trial(self, seed: int) -> NetworkTrial:
        """Return the trial of this row with a seed of the study."""
        return NetworkTrial(
            self.backbone, self.variant, self.data, self.recipe, self.own_seed(seed), self.plugins
        )

    def held_back(self, validation_images: int) -> NetworkRow:
        """Return the row judged on so many training images that are held back, for a choice."""
        return replace(self, data=self.data.for_choosing(validation_images))

    @property
    def identity(self) -> Hashable:
        """What makes two rows the same question."""
        return (self.backbone, self.variant, self.recipe, self.repeat, self.task)

    @property
    def told(self) -> Mapping[str, str]:
        """Backbone, fields of the block and fields of the recipe, as text."""
        recipe = {name: str(value) for name, value in self.recipe.model_dump().items()}
        return {"backbone": self.backbone, **variant_fields(self.variant), **recipe}


def network_row(row: Row) -> NetworkRow:
    """Return a row that is a network; what only such a row can come to asks this."""
    assert isinstance(row, NetworkRow), f"{row.label} is no network of ours"
    return row


def network_rows(rows: Iterable[Row]) -> tuple[NetworkRow, ...]:
    """Return rows that are networks."""
    return tuple(map(network_row, rows))
