"""TrainedRow: the row of another study whose networks are pruned, seed by seed."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablations.errors import StudyError
from ablations.planning.design import design
from ablations.planning.networks.recipe import PRECISIONS
from ablations.planning.networks.row import NetworkRow, network_row
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.study_file import load_study, read_fields, shipped_studies
from senet_core.errors import UserError


@dataclass(frozen=True)
class TrainedRow:
    """A row of a study of networks.

    Attributes:
        study: that trains it.
        row: of the study.
        place: the study as commands take it: a shipped study's name, or the path of a file.
    """

    study: NetworkStudy
    row: NetworkRow
    place: str

    @classmethod
    def of(cls, name: str, label: str, folder: str) -> TrainedRow:
        """Return the row of a study.

        Args:
            name: of a shipped study, or the path of a file.
            label: of the row.
            folder: that a path is relative to.

        Raises:
            StudyError: there is no such study or row, or it chooses its rows itself.
        """
        place = name if name in shipped_studies() or not _is_path(name) else os.path.join(folder, name)
        try:
            if "experiment" in read_fields(place):  # not loaded: it may be the study that asks
                raise StudyError("it trains no networks")
            study = load_study(place)
            assert isinstance(study, NetworkStudy)
            if study.chooses is not None:
                raise StudyError(
                    f"its design {study.design!r} chooses its rows, which are not known before it has run"
                )
            [row] = design(study).only([label]).rows
        except UserError as error:
            raise StudyError(f"experiment.study {name!r}: {error}") from error
        return cls(study, network_row(row), place)

    @property
    def seeds(self) -> frozenset[int]:
        """The seeds that it is trained with."""
        return frozenset(self.row.own_seed(seed) for seed in self.study.seeds)

    def trials(self, seed: int) -> tuple[NetworkTrial, ...]:
        """Return the trials that may have trained the network of a seed: one for each precision that is left open."""
        recipes = dict.fromkeys(self.row.recipe.in_precision(precision) for precision in PRECISIONS)
        return tuple(replace(self.row.trial(0), recipe=recipe, seed=seed) for recipe in recipes)

    def to_json(self) -> dict[str, Any]:
        """Return what makes the networks other ones, but for the seed."""
        trial = self.row.trial(0).to_json()
        return {name: value for name, value in trial.items() if name != "seed"}


def _is_path(name: str) -> bool:
    return Path(name).suffix in (".yaml", ".yml")
