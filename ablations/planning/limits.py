"""Limits on the trials of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.errors import StudyError
from ablations.planning.designs.sizes import MOST_TRIALS

if TYPE_CHECKING:
    from ablations.planning.study import Study


def check_size(study: Study, tasks: int) -> None:
    """Refuse a study that nobody can mean, before time is spent on it.

    Args:
        study: what is asked.
        tasks: how many tasks its rows are run on.

    Raises:
        StudyError: with the numbers.
    """
    rows = study.kind.check_size(study) * tasks
    if rows * len(study.seeds) > MOST_TRIALS:
        raise StudyError(
            f"study {study.name!r}: {rows:,} rows with {len(study.seeds):,} seeds are {rows * len(study.seeds):,}"
            f" trials; at most {MOST_TRIALS:,}: take fewer seeds, or vary less"
        )
