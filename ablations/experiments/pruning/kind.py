"""Pruning: trained networks lose the channels that a ranking gives the least worth, and are trained on for a while."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ablations.errors import RecordError, StudyError
from ablations.experiments.classification.kind import TOP1
from ablations.experiments.fields.checks import check_fields, mapping_field, text_field
from ablations.experiments.pruning.fine_tuning import fine_tuning_recipe
from ablations.experiments.pruning.trained import TrainedRow
from ablations.planning.design import Design
from ablations.planning.experiment import Context, Experiment, Fact, Factor
from ablations.planning.factors.row import FactorRow
from ablations.planning.factors.trial import FactorTrial
from ablations.planning.factors.values import value_text
from ablations.planning.labels import number_text
from ablations.planning.metric import Metric
from ablations.planning.networks.recipe import Recipe
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from senet_core.errors import UserError, unknown
from senet_core.pruning.rankings import RANKINGS
from senet_core.pruning.ratio import check_ratio

FIELDS = ("study", "row", "recipe", "gate_images")
GATE_IMAGES = 1000
BEFORE = Metric("before", "error before fine-tuning", "%", "points", 2, True, "error_before_fine_tuning")
LATENCY = Metric("latency", "latency of one image", "ms", "ms", 3, True, "latency_ms")
FACTORS = {
    "ranking": Factor("ranking", "a registered ranking", lambda value: _ranking(value), value_text),
    "ratio": Factor("ratio", "a share above 0 and below 1", lambda value: check_ratio(value), number_text),
}


@dataclass(frozen=True)
class PruningPlaces:
    """Where a worker finds what its trials read.

    Attributes:
        results_dir: holds a folder for each study.
        data_dir: where the prepared data sets are.
        data_digest: of the data that the trials are to read.
        images: where this machine has the images of an image-folder; None for other data.
    """

    results_dir: Path
    data_dir: Path
    data_digest: str
    images: str | None


class Pruning(Experiment):
    """Networks that another study has trained, pruned; see docs/pruning.md.

    Args:
        fields: of the study file.
        home: the folder of the study.

    Raises:
        StudyError: a field is wrong.
    """

    name = "pruning"
    runner = "ablations.experiments.pruning.runner:PruningRunner"
    page = "ablations.experiments.pruning.page:PruningPage"
    timed = ("latency_ms", "full_latency_ms")

    def __init__(self, fields: Mapping[str, Any], home: str) -> None:
        check_fields("experiment", fields, FIELDS, ("study", "row"))
        self._given = dict(fields)
        self._study, self._row = (text_field(f"experiment.{name}", fields[name]) for name in ("study", "row"))
        self.trained = TrainedRow.of(self._study, self._row, home)
        changes = mapping_field("experiment.recipe", fields.get("recipe", {}))
        self.recipe: Recipe = fine_tuning_recipe(self.trained.row.recipe, changes)
        self.gate_images = _count("experiment.gate_images", fields.get("gate_images", GATE_IMAGES))
        self._places: PruningPlaces | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], folder: str) -> Pruning:
        """Return the experiment that a study file describes."""
        return cls(fields, folder)

    @classmethod
    def fields_of(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a study file from what a recorded trial says of its experiment."""
        return dict(recorded["fields"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pruning) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # what it is made of has none

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The error of the pruned network, the same before it is trained on, and its latency."""
        return (TOP1, BEFORE, LATENCY)

    @property
    def recorded(self) -> tuple[str, ...]:
        """Errors in per cent, counts for one image, times; those that begin with "full" are of the network before."""
        own = ("top5_error", "parameters", "multiply_adds", "train_loss")
        full = ("full_top1_error", "full_parameters", "full_multiply_adds", "full_latency_ms")
        return (*super().recorded, *own, *full)

    @property
    def curves(self) -> tuple[str, ...]:
        """What each epoch of the fine-tuning has."""
        return ("train_loss", "train_error", "validation_error", "lr", "seconds")

    @property
    def words(self) -> str:
        """Which networks are pruned, in one line."""
        row = self.trained.row
        return f"pruning of {row.backbone} on {row.data.name}, row {row.label} of study {self.trained.study.name}"

    def to_json(self) -> dict[str, Any]:
        """Return what makes its trials other ones: the networks, and how they are trained on."""
        return {
            "fields": self._given,
            "trained": self.trained.to_json(),
            "recipe": self.recipe.to_json(),
        }

    def factors(self) -> Mapping[str, Factor]:
        """Return the ranking and the ratio."""
        return FACTORS

    def check_factors(self, names: Iterable[str]) -> None:
        """Refuse a study that leaves one of the two open."""
        given = tuple(names)
        for name in FACTORS:
            if name not in given:
                raise StudyError(f"baseline.{name} is missing")

    def check(self, design: Design) -> None:
        """Refuse seeds of which there is no network, rows that are one, and what a ranking cannot prune."""
        trained = self.trained.study
        if not trained.keeps_weights:
            raise StudyError(
                f"study {trained.name!r}, whose networks are pruned, keeps none of them: it needs `keep_weights: true`"
            )
        seeds = {row.own_seed(seed) for row in design.rows for seed in (*design.seeds, *design.confirm_seeds)}
        lacking = sorted(seeds - self.trained.seeds)
        if lacking:
            raise StudyError(
                f"study {trained.name!r} trains row {self._row!r} with the seeds"
                f" {_listed(self.trained.seeds)}, and this asks for {_listed(lacking)}, too"
            )
        seen: dict[tuple[Any, ...], Row] = {}
        for row in design.rows:
            assert isinstance(row, FactorRow)
            cost = self._cost(row)
            removed = (row.repeat, row.trial(0).values["ranking"], cost.parameters, cost.multiply_adds)
            same = seen.setdefault(removed, row)
            if same is not row:
                raise StudyError(
                    f"rows {same.label!r} and {row.label!r} remove the same channels: their ratios round alike"
                )

    def describe(self, row: Row) -> Mapping[str, Fact]:
        """Return parameters and multiply-adds of the pruned network."""
        cost = self._cost(row)
        return {"parameters": cost.parameters, "multiply_adds": cost.multiply_adds}

    def placed(self, places: PruningPlaces) -> Pruning:
        """Return the experiment in a worker, which knows where everything is."""
        placed = copy.copy(self)
        placed._places = places
        return placed

    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Prune, train on, and test."""
        from ablations.experiments.pruning.attempt import pruned_and_tested

        assert isinstance(trial, FactorTrial)
        assert self._places is not None
        return pruned_and_tested(self, trial.values["ranking"], trial.values["ratio"], context, self._places)

    @cached_property
    def _costs(self) -> Any:
        from ablations.experiments.pruning.costs import PrunedCosts

        return PrunedCosts(self.trained.row)

    def _cost(self, row: Row) -> Any:
        assert isinstance(row, FactorRow)
        values = row.trial(0).values
        try:
            return self._costs.of(values["ranking"], values["ratio"])
        except RecordError:
            raise
        except UserError as error:
            raise StudyError(f"row {row.label!r}: {error}") from error


def _ranking(value: object) -> str:
    if not isinstance(value, str) or value not in RANKINGS:
        raise unknown("ranking", value, RANKINGS)
    return value


def _count(what: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 10_000_000:
        raise StudyError(f"{what} must be a whole number from 1, got {value!r}")
    return value


def _listed(seeds: Iterable[int]) -> str:
    found = sorted(seeds)
    return ", ".join(map(str, found[:8])) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
