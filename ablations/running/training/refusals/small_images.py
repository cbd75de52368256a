"""Refusal of trainings whose first images are too large for the data or too small for the network."""

from __future__ import annotations

from ablations.errors import StudyError
from ablations.planning.design import Design
from ablations.planning.networks.row import NetworkRow, network_rows
from ablations.running.training.learning_rate.schedule import smaller_sizes
from ablations.running.training.networks import DataShape, Networks, data_shape


def refuse_small_images(design: Design) -> None:
    """Refuse a study with a `start_size` above the size of its images, or below what a backbone can take.

    Raises:
        StudyError: with the first row that asks for it, and what would do.
    """
    asked = set[tuple[str, int, str]]()
    for row in network_rows(design.rows):
        shape, size = data_shape(row.data), row.recipe.start_size
        full = shape.image_shape[1]
        if size is None or (row.backbone, size, row.task) in asked:
            continue
        asked.add((row.backbone, size, row.task))
        begins = f"study {design.study.name!r}, row {row.label!r}: start_size is {size} pixels, and"
        if size > full:
            raise StudyError(f"{begins} images of {row.data.name!r} have {full}; give at most {full}")
        if size < full and (why := _problem(row, shape, size)) and not _problem(row, shape, full):
            sizes = (*smaller_sizes(row.recipe, full), full)
            least = next(other for other in sizes if not _problem(row, shape, other))
            raise StudyError(
                f"{begins} {row.backbone} cannot take such images; give at least {least} ({why})"
            )


def _problem(row: NetworkRow, shape: DataShape, size: int) -> str:
    """Return why a row's network cannot take images of a size; empty where it can."""
    smaller = DataShape(shape.num_classes, (shape.image_shape[0], size, size), shape.assumed)
    networks = Networks(lambda data: smaller)
    networks.structure(row)
    return networks.problems.get(row.label, "")
