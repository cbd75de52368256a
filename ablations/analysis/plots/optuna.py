"""Optuna's own visualisations of a study's choices, as pictures for the MLflow experiment."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ablations.analysis.results.selection import Choice
from ablations.running.search.view import directions_of, make_trial

_FEWEST = 2
log = logging.getLogger("ablations")


def write_optuna_plots(choices: Sequence[Choice], folder: Path) -> list[Path]:
    """Draw what Optuna draws of each choice: history, slices, parallel coordinates, importances, Pareto front.

    Args:
        choices: of a study.
        folder: made if it does not exist.

    Returns:
        The files. A plot that Optuna cannot draw of so few or so equal trials is left out.
    """
    import optuna
    from matplotlib import pyplot as plt
    from optuna.visualization import matplotlib as drawn

    written = []
    names = _file_names([choice.arm.label for choice in choices])
    for choice, file_name in zip(choices, names, strict=True):
        trials = [trial for j in choice.judged if (trial := make_trial(choice.arm, j)) is not None]
        if len(trials) < _FEWEST:
            continue
        with (
            warnings.catch_warnings(),
            plt.rc_context({"figure.figsize": (8, 5), "figure.max_open_warning": 0}),
        ):
            warnings.simplefilter("ignore")
            study = optuna.create_study(directions=directions_of(choice.arm))
            study.set_metric_names([objective.name for objective in choice.arm.objectives])
            study.add_trials(trials)
            for name, draw in _drawings(drawn, choice):
                path = folder / f"{file_name}-{name}.png"
                with suppress(
                    ValueError, RuntimeError, TypeError, IndexError
                ):  # too few trials, or all alike
                    made = draw(study)
                    figure = getattr(made, "figure", None) or made.flat[0].figure
                    folder.mkdir(parents=True, exist_ok=True)
                    figure.savefig(path, dpi=120, bbox_inches="tight")
                    written.append(path)
                plt.close("all")
    return written


def _drawings(drawn: Any, choice: Choice) -> list[tuple[str, Callable[[Any], Any]]]:
    if len(choice.arm.objectives) > 3:
        return []
    if len(choice.arm.objectives) > 1:
        return [
            ("pareto-front", drawn.plot_pareto_front),
            (
                "importances",
                lambda study: drawn.plot_param_importances(
                    study, target=lambda t: t.values[0], target_name=choice.arm.objectives[0].name
                ),
            ),
        ]
    return [
        ("history", drawn.plot_optimization_history),
        ("slices", drawn.plot_slice),
        ("parallel", drawn.plot_parallel_coordinate),
        ("importances", drawn.plot_param_importances),
    ]


def _file_names(labels: Sequence[str]) -> list[str]:
    """Return a file name for each label; where two would have one, also for a file system without capitals, numbers."""
    names = ["".join(letter if letter.isalnum() else "-" for letter in label).strip("-") for label in labels]
    folded = [name.casefold() for name in names]
    return [
        f"{number}-{name}" if not name or folded.count(name.casefold()) > 1 else name
        for number, name in enumerate(names, 1)
    ]
