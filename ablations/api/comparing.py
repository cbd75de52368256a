"""Comparisons of anybody's results: a frame in, a frame out."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from ablations.analysis.results.comparison_frame import comparison_frame
from senet_core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def read_runs(
    source: str | PurePath,
    *,
    variant: str | Sequence[str] = (),
    seed: str | None = None,
    metric: str | None = None,
    task: str | None = None,
    pattern: str | None = None,
    at: str | int = "last",
    goal: str | None = None,
) -> pd.DataFrame:
    """Return runs that were recorded anywhere as a frame for `compare` and `Results.from_frame`.

    Args:
        source: a CSV; "mlflow:EXPERIMENT" (in the store of MLFLOW_TRACKING_URI, or of the working folder);
            "optuna:STORAGE#STUDY"; "tensorboard:FOLDER", "wandb:FOLDER", "json:FOLDER".
        variant: what makes a variant: columns, parameters, tags, parts of the pattern; () for `variant`, or for what
            the source knows.
        seed: what tells its runs apart; None for `seed`.
        metric: what is compared; None for the only one, in a CSV for `value`.
        task: what tells tasks apart; None for `task` where there is one, "" for none.
        pattern: how folders or runs are named, such as "{variant}/seed{seed}".
        at: "last" or "best" of a run's values, or a step.
        goal: "minimise" or "maximise", for the best.

    Returns:
        Columns `variant`, `seed`, `value`, and `task` where there are several; a run without a result is NaN.
        `frame.attrs` has `notes` (what was found, in sentences), `metric` and `goal`.

    Raises:
        UserError: the source cannot be read, or something is wrong with its runs.
        ToolMissing: a package that it needs is not installed.
    """
    from ablations.analysis.external.asked import Asked
    from ablations.analysis.external.registry import read_source

    if not isinstance(source, str | PurePath):
        raise UserError(f"`source` is a CSV's name, or KIND:PLACE such as mlflow:EXPERIMENT, got {source!r}")
    names = (variant,) if isinstance(variant, str) else tuple(variant)
    read = read_source(str(source), Asked(names, seed, metric, task, pattern, str(at), goal))
    read.frame.attrs |= {"notes": read.notes, "metric": read.metric, "goal": read.goal}
    return read.frame


def compare(
    frame: pd.DataFrame, *, baseline: str, margin: float | None = None, lower_is_better: bool = True
) -> pd.DataFrame:
    """Compare variants with a baseline, paired by seed, corrected by Holm's method over all of them.

    `Results.from_frame` gives these numbers with their table, plot and report, and compares several tasks.

    Args:
        frame: columns `variant`, `seed`, `value`, one row for each run; a value that is NaN is missing.
        baseline: the variant that the others are compared with.
        margin: smallest effect of interest, in the units of the values; None for no test of equivalence.
        lower_is_better: True for errors and losses.

    Returns:
        One row for each other variant; the columns are those of `Results.compare`, without `axis`.

    Raises:
        UserError: a column is missing, a seed is doubled, or the baseline is not there.
    """
    from ablations.analysis.stats.compare import compare as compared

    return comparison_frame(compared(frame, baseline, margin=margin, lower_is_better=lower_is_better))
