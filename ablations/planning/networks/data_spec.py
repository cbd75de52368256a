"""DataSpec: the data of a trial as a value: a data set, and how many of its images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ablations.planning.networks.datasets import DATASETS, check_fields, check_resampling, check_subset

_LATER = ("validation_images", "resample")


class DataSpec(BaseModel):
    """The data of a trial: a data set, and how many of its images.

    Raises:
        pydantic.ValidationError: a field is unknown, of the wrong type or out of range, no data set has the name,
            or a field is missing or has no effect for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(description=f"One of {', '.join(DATASETS)}.")
    train_images: int | None = Field(
        default=None,
        ge=2,
        description="Train on only so many images, balanced over classes; all if not given.",
    )
    test_images: int | None = Field(
        default=None,
        ge=1,
        description="Test on only so many images, balanced over classes; all if not given.",
    )
    validation_images: int | None = Field(
        default=None,
        ge=1,
        description="Hold so many training images back, balanced over classes, and judge the network on them: the "
        "test images are then out of its reach.",
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="The folder of an image-folder, relative to the study's file, in ImageNet's layout: train/CLASS/ "
        "and val/CLASS/ or test/CLASS/.",
    )
    size: int | None = Field(
        default=None,
        ge=8,
        le=16_384,
        description="Side to which images of many sizes are made, in pixels: of an image-folder, and of the data sets "
        "for which the table says that it is yours.",
    )
    resample: Literal["train"] | None = Field(
        default=None,
        description="train: which train_images are taken is drawn by the seed, balanced over classes, so that verdicts "
        "hold for other training images, too; the same ones for every seed if not given.",
    )
    _images: str | None = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        """Compare the fields; where a machine has the images is no part of what they are."""
        return isinstance(other, DataSpec) and self.model_dump() == other.model_dump()

    def located(self, images: str | None) -> DataSpec:
        """Return the same data, with the path where this machine has the images."""
        placed = self.model_copy()
        placed._images = images
        return placed

    @property
    def images(self) -> str | None:
        """Where this machine has the images of an image-folder; `path`, where nobody said it."""
        return self.path if self._images is None else self._images

    @model_validator(mode="after")
    def _of_the_data_set(self) -> DataSpec:
        check_fields(self.name, path=self.path, size=self.size)
        check_subset(
            self.name,
            train_images=self.train_images,
            test_images=self.test_images,
            validation_images=self.validation_images,
        )
        check_resampling(self.name, self.train_images, self.validation_images, resample=self.resample)
        return self

    @model_serializer(mode="wrap")
    def _without_idle_fields(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what was added later where it is None, so that older trials keep their keys."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if name not in _LATER or value is not None}

    def for_choosing(self, validation_images: int) -> DataSpec:
        """Return the data for a trial of a choice, which is evaluated on training images that are held back."""
        return DataSpec.model_validate(
            {**self.model_dump(), "test_images": None, "validation_images": validation_images}
        ).located(self._images)

    def __str__(self) -> str:
        parts = [self.name]
        if self.path is not None:
            parts.append(f"{self.path} at {self.size} px")
        elif self.size is not None:
            parts[0] += f" at {self.size} px"
        if self.train_images is not None:
            drawn = " that each seed draws anew" if self.resample == "train" else ""
            parts.append(f"{self.train_images:,} training images{drawn}")
        if self.test_images is not None:
            parts.append(f"{self.test_images:,} test images")
        if self.validation_images is not None:
            parts.append(f"judged on {self.validation_images:,} training images that are held back")
        return ", ".join(parts)


def whole_data(data: Mapping[str, Any]) -> str:
    """Return a name for the whole of which a trial's data are a part: the data set, or the folder of images.

    Args:
        data: as a trial's canonical JSON has them.
    """
    path, size = data.get("path"), data.get("size")
    named = str(data["name"]) if path is None else f"{data['name']} {path}"
    return named if size is None else f"{named} at {size} px"


def known_train_images(data: DataSpec) -> int | None:
    """Return the number of training images; None where it is known only from the data themselves."""
    known = DATASETS[data.name]
    if data.train_images is not None or known.own_copy:  # the user's own copy may have more or fewer
        return data.train_images
    return known.train_images and known.train_images - (data.validation_images or 0)
