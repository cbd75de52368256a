"""NetworkTrial: the training of one network, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.trial import Trial
from senet_core.variants.text import parse_variant, variant_text
from senet_core.variants.variant import PREFIX, SEVariant

ABSENT = "-"


@dataclass(frozen=True)
class NetworkTrial(Trial):
    """The training of one network; equal values are the same trial, in whichever study.

    Attributes:
        backbone: its name.
        variant: the SE variant in its normal form for that backbone; None for the plain network.
        data: which images.
        recipe: how to train.
        seed: at least 0; determines initial weights, order of the images and augmentation.
        plugins: ("squeeze:std", digest of the plug-in's code) for every entry that the network takes from a
            plug-in, its backbone included: changed code is another trial.
    """

    backbone: str
    variant: SEVariant | None
    data: DataSpec
    recipe: Recipe
    seed: int
    plugins: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`."""
        return {
            "backbone": self.backbone,
            "variant": variant_text(self.variant),
            "data": self.data.model_dump(mode="json"),
            "recipe": self.recipe.to_json(),
            "seed": self.seed,
            "plugins": dict(self.plugins),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> NetworkTrial:
        """Return the trial of a canonical form.

        Raises:
            ValueError: a field is missing or not of the form that `to_json` returns.
        """
        missing = [field.name for field in fields(cls) if field.name not in value]
        if missing:
            raise ValueError(f"a trial lacks {', '.join(missing)}")
        return cls(
            backbone=value["backbone"],
            variant=parse_variant(value["variant"]),
            data=DataSpec.model_validate(value["data"]),
            recipe=Recipe.model_validate(value["recipe"]),
            seed=value["seed"],
            plugins=tuple(sorted(value["plugins"].items())),
        )

    def choices(self) -> dict[str, Any]:
        """Return every choice that made it, by the name of its axis; a plain network has "-" for what a block has."""
        content = self.to_json()
        block = {field.name: ABSENT for field in fields(SEVariant)}
        if self.variant is not None:
            block = dict(part.split("=", 1) for part in content["variant"].removeprefix(PREFIX).split(","))
        data = {
            "data" if name == "name" else f"data.{name}": value for name, value in content["data"].items()
        }
        recipe = {f"recipe.{name}": value for name, value in content["recipe"].items()}
        return {"backbone": self.backbone, **block, **data, **recipe}

    @property
    def proposed(self) -> bool:
        """Whether it is judged on validation images, for a choice."""
        return self.data.validation_images is not None

    def __str__(self) -> str:
        return f"{self.backbone} on {self.data}"


def network_trial(trial: Trial) -> NetworkTrial:
    """Return a trial that is the training of a network; what only such a trial can come to asks this."""
    assert isinstance(trial, NetworkTrial), f"{trial.key} trains no network of ours"
    return trial
