"""`tests` of a study file: how its trained networks are tested again when the training has ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ablations.planning.networks.views import CROPS, Views


class Retest(BaseModel):
    """One way of testing: see `Views`.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range, or two do not go together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    crops: int = Field(
        default=1, description=f"{', '.join(map(str, CROPS[:-1]))} or {CROPS[-1]} crops of each image."
    )
    size: int | None = Field(
        default=None, description="Side of a crop in pixels; as in the training if not given."
    )
    short: int | None = Field(
        default=None, description="Shorter side to which images are resized before, in pixels."
    )
    flip: bool = Field(default=False, description="Whether one crop has its mirror image beside it.")
    ensembles: tuple[Literal["seeds", "rows"], ...] = Field(
        default=(),
        strict=False,
        description="seeds: also all networks of a row together; rows: those of all rows with one seed.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Retest:
        _ = self.views  # refuses what does not go together
        return self

    @property
    def views(self) -> Views:
        """What the networks see of each image."""
        return Views(self.crops, self.size, self.short, self.flip)
