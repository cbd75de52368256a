"""Limits on the trials and the batches of a study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ablations.errors import StudyError
from ablations.planning.designs.sizes import MOST_TRIALS

if TYPE_CHECKING:
    from ablations.planning.row import Row
    from ablations.planning.study import Study


def check_size(study: Study) -> None:
    """Refuse a study that nobody can mean, before time is spent on it.

    Raises:
        StudyError: with the numbers.
    """
    rows = study.kind.check_size(study)
    if rows * len(study.seeds) > MOST_TRIALS:
        raise StudyError(
            f"study {study.name!r}: {rows:,} rows with {len(study.seeds):,} seeds are {rows * len(study.seeds):,}"
            f" trials; at most {MOST_TRIALS:,}: take fewer seeds, or vary less"
        )


def check_batches(study: Study, rows: Iterable[Row], train_images: int) -> None:
    """Refuse batches that the training images cannot fill: a smaller batch would be another recipe.

    Args:
        study: whose rows.
        rows: its rows.
        train_images: how many there are.

    Raises:
        StudyError: with the first row that asks for more.
    """
    for row in rows:
        asked = row.recipe.batch_size
        if asked > train_images:
            raise StudyError(
                f"study {study.name!r}, row {row.label!r}: batch_size is {asked:,}, and there are {train_images:,}"
                f" training images; give recipe.batch_size at most {train_images:,}, or more train_images"
            )
