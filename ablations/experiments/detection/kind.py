"""Detection: detectors over networks with SE blocks, on data in COCO's format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ablations.experiments.dense.kind import DenseExperiment, DensePlaces, factor_values
from ablations.experiments.dense.recipe import DETECTION
from ablations.experiments.dense.trunk_factors import backbone_of, variant_of
from ablations.experiments.detection.figures import AP, AP50, AP75, BY_SIZE, MASK_AP
from ablations.planning.experiment import Context
from ablations.planning.metric import Metric
from ablations.planning.row import Row
from senet_core.dense.tasks import DETECTORS, DetectorSize

if TYPE_CHECKING:
    from ablations.experiments.dense.coco import CocoSplit


_SIZE = ("channels", "anchor_scale", "samples", "proposals")


class Detection(DenseExperiment):
    """Detectors; see docs/detection.md."""

    name = "detection"
    slot = "detector"
    registry = DETECTORS
    recipe_fields = DETECTION

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """COCO's average precision of boxes: over ten overlaps, at 0.5 and at 0.75."""
        return (AP, AP50, AP75)

    @property
    def more_recorded(self) -> tuple[str, ...]:
        """AP by the size of objects, and of masks where the detector has them."""
        return (*BY_SIZE, MASK_AP)

    @classmethod
    def network(
        cls, values: Mapping[str, Any], recipe: Mapping[str, Any], *, num_classes: int, **given: Any
    ) -> Any:
        """Return a row's detector."""
        from senet_core.dense.detectors import build_detector

        shorter, longer = recipe["image_size"]
        return build_detector(
            values[cls.slot],
            backbone_of(values),
            variant_of(values),
            num_classes=num_classes,
            image_size=(shorter, longer),
            size=DetectorSize(**{name: recipe[name] for name in _SIZE}),
            **given,
        )

    def check_annotations(self, split: CocoSplit, rows: Iterable[Row]) -> None:
        """Refuse annotations without outlines where masks are trained."""
        for name in sorted({factor_values(row)[self.slot] for row in rows}):
            if DETECTORS[name].traits["masks"]:
                split.check_outlines(f"detector {name!r}")

    def measured(
        self, values: Mapping[str, Any], context: Context, places: DensePlaces
    ) -> Mapping[str, float]:
        """Train a detector and return its average precision."""
        from ablations.experiments.detection.attempt import trained_and_scored

        return trained_and_scored(self, values, context, places)
