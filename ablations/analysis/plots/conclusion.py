"""What a sweep adds to the laboratory notebook in the end, beside report and summaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ablations.analysis.results.selection import choices_of
from ablations.planning.design import Design
from ablations.running.record.trial_file import Record


def optuna_plots(design: Design, record: Record) -> Callable[[Path], object]:
    """Return what writes Optuna's plots of a study's choices into a folder; it writes nothing where there are none."""
    choices = choices_of(design.untouched or design, record)

    def draw(folder: Path) -> None:
        if choices:
            from ablations.analysis.plots.optuna import write_optuna_plots  # Optuna takes a second to import

            write_optuna_plots(choices, folder)

    return draw
