"""What a sweep adds to the laboratory notebook in the end, beside report and summaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ablations.analyse.choice import choices_of
from ablations.plan.design import Design
from ablations.run.record import Record


def optuna_plots(design: Design, record: Record) -> Callable[[Path], object]:
    """Return what writes Optuna's plots of a study's choices into a folder; it writes nothing where there are none."""
    choices = choices_of(design.untouched or design, record)

    def draw(folder: Path) -> None:
        if choices:
            from ablations.analyse.optuna_plots import write_optuna_plots  # Optuna takes a second to import

            write_optuna_plots(choices, folder)

    return draw
