"""The data sets that a study's rows are trained on: the baseline's own, and those of the axis `data`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ablations.planning.networks.data_path import absolute_path, spelled
from ablations.planning.networks.data_spec import DataSpec

if TYPE_CHECKING:
    from ablations.planning.networks.study import NetworkStudy

DATA = "data"
"""The axis of data sets: every row is trained on each of them, and compared with the baseline there."""


def data_from(value: object) -> object:
    """Read data: a data set's name, or its fields."""
    return {"name": value} if isinstance(value, str) else value


def listed_data(study: NetworkStudy) -> tuple[DataSpec, ...]:
    """Return the values of the axis `data`, which know where their images are.

    Raises:
        pydantic.ValidationError: one of them is no data set.
    """
    values: Sequence[Any] = study.axes.get(DATA, ())
    return tuple(located(DataSpec.model_validate(data_from(value)), study.folder) for value in values)


def named_data(study: NetworkStudy) -> dict[str, DataSpec]:
    """Return the data sets by what they are called in the study: the baseline's first, the others in their order.

    A data set is called by its name, or its folder; where two would be called the same, by its training images, too, or
    by all that is said of it. The one data set of a study without the axis is called "".

    Raises:
        pydantic.ValidationError: a value of the axis is no data set.
    """
    own = study.baseline.data
    if DATA not in study.axes:
        return {"": own}
    every = list(dict.fromkeys([own, *listed_data(study)]))
    short = [data.name if data.path is None else os.path.basename(data.path) or data.path for data in every]
    longer = [f"{name} {data.train_images or 'whole'}" for name, data in zip(short, every, strict=True)]
    found: dict[str, DataSpec] = {}
    for place, data in enumerate(every):
        names = (own[place] for own in (short, longer) if own.count(own[place]) == 1)
        found[next(names, str(data))] = data
    return found


def has_paths(study: NetworkStudy) -> bool:
    """Return whether data are a folder of images, be they right or wrong otherwise."""
    listed = (value.get("path") for value in study.axes.get(DATA, ()) if isinstance(value, Mapping))
    return any(path is not None for path in (study.baseline.data.path, *listed))


def located(data: DataSpec, folder: str) -> DataSpec:
    """Return the data, which know where this machine has the images; as they are without a path or a folder."""
    if data.path is None or not folder:
        return data
    return data.located(absolute_path(data.path, folder))


def respelled(data: DataSpec, home: str) -> DataSpec:
    """Return the data with their path, which was relative to the working folder, as keys of a study there have it."""
    if data.path is None:
        return data
    images = absolute_path(data.path)
    return data.model_copy(update={"path": spelled(images, home)}).located(images)
