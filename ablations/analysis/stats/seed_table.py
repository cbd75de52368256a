"""Values of a frame laid out by seed and variant, and the mean of each variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.analysis.stats.paired import Estimate, estimate
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    import pandas as pd


def check_columns(frame: pd.DataFrame, *columns: str) -> None:
    """Refuse what is no frame, or lacks a column."""
    if not hasattr(frame, "columns"):  # pandas is not imported for a look at a type
        raise UserError(f"runs are a pandas data frame, such as `ab.read_runs` returns, got {frame!r}")
    for column in columns:
        if column not in frame.columns:
            raise unknown("column", column, frame.columns)


def by_seed(frame: pd.DataFrame, *, task: object = None) -> pd.DataFrame:
    """Return values with one row a seed and one column a variant, in their order of first appearance.

    Args:
        frame: columns `variant`, `seed`, `value`; one row for each trial.
        task: of which all rows are, for the message.

    Raises:
        UserError: a column is missing or a (variant, seed) comes twice.
    """
    check_columns(frame, "variant", "seed", "value")
    twice = frame[frame.duplicated(["variant", "seed"])]
    if len(twice):
        variant, seed = twice.iloc[0][["variant", "seed"]]
        of_task = "" if task is None else f" of task {task!r}"
        raise UserError(f"variant {variant!r}{of_task} has seed {seed} more than once")
    return frame.pivot(index="seed", columns="variant", values="value")[list(frame["variant"].unique())]


def describe(frame: pd.DataFrame, *, confidence: float = 0.95) -> dict[str, Estimate]:
    """Return the mean of every variant of a frame, with its interval.

    Args:
        frame: columns `variant`, `seed`, `value`; one row for each trial.
        confidence: of the intervals, between 0 and 1.

    Raises:
        UserError: a column is missing or a (variant, seed) comes twice.
    """
    wide = by_seed(frame)
    return {str(name): estimate(wide[name].to_numpy(), confidence=confidence) for name in wide.columns}
