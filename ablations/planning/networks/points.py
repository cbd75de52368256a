"""Points: a backbone, a variant and a recipe on their way from the baseline along a study's axes to a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from ablations.errors import StudyError
from ablations.planning.designs.tuned import REPEAT
from ablations.planning.explain import explain
from ablations.planning.labels import number_text
from ablations.planning.networks.batches import check_batches
from ablations.planning.networks.data_sets import DATA, listed_data
from ablations.planning.networks.data_spec import DataSpec, known_train_images
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.weights import shown
from ablations.planning.networks.row import NetworkRow, network_rows
from ablations.planning.networks.study import BLOCK, BLOCK_AXES, VARIANT_AXES, NetworkStudy
from ablations.planning.networks.used_plugins import used_plugins
from ablations.planning.points import NOT_VARIED, Points
from ablations.planning.row import Row
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.variants.label import variant_label
from senet_core.variants.text import block_text, variant_at, variant_fields
from senet_core.variants.variant import SEVariant


@dataclass(frozen=True)
class Point:
    """A backbone, a variant, a recipe and a repeat; the task is a data set where the study has several."""

    backbone: str
    variant: SEVariant | None
    recipe: Recipe
    repeat: int = 0
    task: str = ""

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes two points the same question, in its normal form for the backbone."""
        variant = find_backbone(self.backbone).variant(self.variant)
        return (self.backbone, variant, self.recipe, self.repeat, self.task)


def start_of(study: NetworkStudy) -> Point:
    """Return the baseline; what does not fit there is no axis's fault.

    Raises:
        StudyError: the variant does not fit the backbone.
    """
    start = Point(study.baseline.backbone, study.baseline.variant, study.trained_recipe)
    try:
        _ = start.identity
    except UserError as error:
        raise StudyError(f"study {study.name!r}: baseline: {error}") from error
    return start


def moved(study: NetworkStudy, start: Point, axis: str, value: object) -> tuple[str, Point]:
    """Return the value as text and the point that it leads to along an axis.

    Raises:
        StudyError: the value does not fit, with study and axis.
    """
    try:
        point = move(start, axis, value)
        return text_of(point, axis), point
    except ValidationError as error:
        raise StudyError(f"study {study.name!r}: axis {axis!r}: {explain(error)}") from error
    except UserError as error:
        raise StudyError(f"study {study.name!r}: axis {axis!r}: {error}") from error


def move(start: Point, axis: str, value: object) -> Point:
    """Return the point at a value of an axis.

    Raises:
        StudyError: the value does not fit the axis or the backbone.
        pydantic.ValidationError: it does not fit the recipe.
    """
    if axis == "backbone":
        if not isinstance(value, str):
            raise StudyError(f"a backbone is given by its name, got {value!r}")
        point = replace(start, backbone=value)
    elif axis == REPEAT:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise StudyError(f"a repeat is a whole number from 0, got {value!r}")
        point = replace(start, repeat=value)
    elif axis == BLOCK and start.variant is not None:
        point = replace(start, variant=variant_at(start.variant, value))
    elif axis in VARIANT_AXES and start.variant is not None:
        changed: dict[str, Any] = {axis: value}
        point = replace(start, variant=replace(start.variant, **changed))
    else:
        field = axis.removeprefix("recipe.")
        fields = {**start.recipe.model_dump(), field: value}
        point = replace(start, recipe=Recipe.model_validate(fields))
    _ = point.identity  # an unknown backbone, or a stage that it lacks, is refused here
    return point


def text_of(point: Point, axis: str) -> str:
    """Return a point's value on an axis as text."""
    if axis == "backbone":
        return point.backbone
    if axis == REPEAT:
        return str(point.repeat)
    if axis in BLOCK_AXES and point.variant is None:
        return NOT_VARIED
    if axis == BLOCK:
        assert point.variant is not None
        return block_text(point.variant)
    if axis in VARIANT_AXES:
        return variant_fields(find_backbone(point.backbone).variant(point.variant))[axis]
    value = getattr(point.recipe, axis.removeprefix("recipe."))
    if axis == "recipe.weights" and value is not None:
        return shown(value)
    if axis == "recipe.freeze":
        return "+".join(map(str, value)) or "none"
    if axis == "recipe.betas" and value is not None:
        return "/".join(map(number_text, value))
    return number_text(value) if isinstance(value, float) else str(value)


def row_at(study: NetworkStudy, point: Point, *, axis: str | None) -> NetworkRow:
    """Return the row at a point; `axis` as in `Row`."""
    backbone, variant, recipe, repeat, task = point.identity
    return NetworkRow(
        label=label_of(study, point),
        axis=axis,
        values=tuple((name, task if name == DATA else text_of(point, name)) for name in study.axes),
        backbone=backbone,
        variant=variant,
        data=study.data_sets[task],
        recipe=recipe,
        plugins=used_plugins(backbone, variant),
        repeat=repeat,
        task=task,
    )


def label_of(study: NetworkStudy, point: Point) -> str:
    """Return the label of the row at a point, made of what its study varies."""
    backbone, variant, _, repeat, _ = point.identity
    words = [variant_label(variant)]
    if "backbone" in study.axes:
        words.append(backbone)
    words += [
        f"{axis.removeprefix('recipe.')}={text_of(point, axis)}"
        for axis in study.axes
        if axis.startswith("recipe.")
    ]
    words += [f"repeat {repeat}"] if repeat else []
    return " ".join(words)


class NetworkPoints(Points):
    """The way from a study's baseline along its axes to rows of networks."""

    def __init__(self, study: NetworkStudy) -> None:
        self._study = study

    def start(self) -> Point:
        """Return the baseline."""
        return start_of(self._study)

    def tasks(self) -> tuple[str, ...]:
        """Return the names of the study's data sets."""
        study = self._study
        try:
            known, listed = study.data_sets, listed_data(study)
        except (ValidationError, UserError) as error:
            why = explain(error) if isinstance(error, ValidationError) else str(error)
            raise StudyError(f"study {study.name!r}: axis {DATA!r}: {why}") from error
        for place, data in enumerate(listed):
            if data in listed[:place]:
                raise StudyError(f"study {study.name!r}: axis {DATA!r} has the value {str(data)!r} twice")
            if data.validation_images is not None and study.chooses is not None:
                raise StudyError(
                    f"study {study.name!r}: axis {DATA!r}: validation_images belong to tune, not to the data"
                )
        return tuple(known)

    def on_task(self, task: str) -> Point:
        """Return the baseline on one of the study's data sets."""
        return replace(self.start(), task=task)

    def plain(self, start: Any) -> Point | None:
        """Return the network without a block, where the study includes it."""
        if not self._study.include_plain or self._study.baseline.variant is None:
            return None
        assert isinstance(start, Point)
        return replace(start, variant=None)

    def moved(self, start: Any, axis: str, value: object) -> tuple[str, Point]:
        """Return the value as text, and the point that it leads to."""
        return moved(self._study, start, axis, value)

    def row(self, point: Any, *, axis: str | None) -> NetworkRow:
        """Return the row at a point."""
        return row_at(self._study, point, axis=axis)

    def check(self, rows: Iterable[Row]) -> None:
        """Refuse batches that the training images cannot fill, where their number is known before they are read."""
        study, held_back = self._study, self._study.held_back
        by_data: dict[DataSpec, list[NetworkRow]] = {}
        for row in network_rows(rows):
            by_data.setdefault(row.data, []).append(row)
        for data, own in by_data.items():
            train_images = known_train_images(data.for_choosing(held_back) if held_back else data)
            if train_images is not None:
                check_batches(study, own, train_images)
