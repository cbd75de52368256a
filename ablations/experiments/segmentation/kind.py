"""Segmentation: segmenters over networks with SE blocks, on data in COCO's format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ablations.errors import DataError
from ablations.experiments.dense.kind import DenseExperiment, DensePlaces
from ablations.experiments.dense.recipe import SEGMENTATION
from ablations.experiments.dense.trunk_factors import backbone_of, variant_of
from ablations.planning.experiment import Context
from ablations.planning.metric import Metric
from ablations.planning.row import Row
from senet_core.dense.tasks import SEGMENTERS

if TYPE_CHECKING:
    from ablations.experiments.dense.coco import CocoSplit

MIOU = Metric("miou", "mean IoU", "%", "points", 2, False, "miou")
PIXELS = Metric("pixels_right", "pixels right", "%", "points", 2, False, "pixels_right")
MOST_CATEGORIES = 254
"""A class map has one byte for each pixel: 0 is the background, and 255 is passed over."""


class Segmentation(DenseExperiment):
    """Segmenters; see docs/detection.md."""

    name = "segmentation"
    slot = "segmenter"
    registry = SEGMENTERS
    recipe_fields = SEGMENTATION

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Mean IoU over the classes, background among them, and the share of pixels that are right."""
        return (MIOU, PIXELS)

    @classmethod
    def network(
        cls, values: Mapping[str, Any], recipe: Mapping[str, Any], *, num_classes: int, **given: Any
    ) -> Any:
        """Return a row's segmenter."""
        from senet_core.dense.segmenters import build_segmenter

        return build_segmenter(
            values[cls.slot],
            backbone_of(values),
            variant_of(values),
            num_classes=num_classes,
            output_stride=recipe["output_stride"],
            **given,
        )

    def check_annotations(self, split: CocoSplit, rows: Iterable[Row]) -> None:
        """Refuse annotations without outlines, and more categories than a class map can have."""
        split.check_outlines("segmentation")
        if len(split.categories) > MOST_CATEGORIES:
            raise DataError(
                f"{split.file} has {len(split.categories)} categories; segmentation takes up to {MOST_CATEGORIES}"
            )

    def measured(
        self, values: Mapping[str, Any], context: Context, places: DensePlaces
    ) -> Mapping[str, float]:
        """Train a segmenter and return its mean IoU."""
        from ablations.experiments.segmentation.attempt import trained_and_scored

        return trained_and_scored(self, values, context, places)
