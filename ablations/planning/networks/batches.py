"""The batches that a study may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ablations.errors import StudyError

if TYPE_CHECKING:
    from ablations.planning.row import Row
    from ablations.planning.study import Study


def check_batches(study: Study, rows: Iterable[Row], train_images: int) -> None:
    """Refuse batches that the training images cannot fill: a smaller batch would be another recipe.

    Args:
        study: whose rows.
        rows: its rows.
        train_images: how many there are.

    Raises:
        StudyError: with the first row that asks for more.
    """
    from ablations.planning.networks.row import NetworkRow

    for row in rows:
        assert isinstance(row, NetworkRow)
        asked, trained_on = row.recipe.batch_size, row.recipe.trained_on(train_images)
        if asked > trained_on:
            watched = "" if trained_on == train_images else f" and {train_images - trained_on:,} to watch"
            raise StudyError(
                f"study {study.name!r}, row {row.label!r}: batch_size is {asked:,}, and there are {trained_on:,}"
                f" training images{watched}; give recipe.batch_size at most {trained_on:,}, or more train_images"
            )


def check_shares(batch: int, processes: int) -> None:
    """Refuse a batch of which one of the processes that train a trial together would have nothing.

    Args:
        batch: its images.
        processes: how many share them.

    Raises:
        StudyError: they are more than the images.
    """
    if batch < processes:
        raise StudyError(
            f"batch_size is {batch}, and each of the {processes} processes of a trial (`processes_per_trial`) needs an"
            " image of every batch"
        )
