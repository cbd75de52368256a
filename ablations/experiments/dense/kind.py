"""DenseExperiment: what the kinds detection and segmentation have in common."""

from __future__ import annotations

import copy
import json
import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ablations.errors import DataError, StudyError, ToolMissing
from ablations.experiments.dense.recipe import PREFIX, RecipeField, parse_field, parse_recipe, whole_recipe
from ablations.experiments.dense.trunk_factors import backbone_factor, backbone_of, variant_factor, variant_of
from ablations.experiments.dense.weights import TrunkWeights
from ablations.experiments.fields.checks import check_fields, mapping_field, text_field
from ablations.planning.design import Design
from ablations.planning.experiment import Context, Experiment, Fact, Factor
from ablations.planning.factors.row import FactorRow
from ablations.planning.factors.trial import FactorTrial
from ablations.planning.factors.values import value_text
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from senet_core.backbones import find_backbone
from senet_core.blocks.registry import Registry
from senet_core.errors import UserError
from senet_core.variants.text import variant_text

if TYPE_CHECKING:
    from ablations.experiments.dense.coco import CocoSplit

FIELDS = ("data", "train", "test", "recipe", "weights", "keep")
TRAIN, TEST = "train2017", "val2017"


@dataclass(frozen=True)
class DensePlaces:
    """Where a worker finds what its trials read.

    Attributes:
        data_dir: where data sets are, by name.
        data_digest: of the data that the trials are to read.
    """

    data_dir: Path
    data_digest: str


class DenseExperiment(Experiment):
    """Training of networks that answer for places in an image; see docs/detection.md.

    Args:
        fields: of the study file.
        home: the folder of the study.

    Attributes:
        data: as the study says it.
        places: of each split, the folder of images and the file of annotations, relative to the data.
        recipe: the fields that differ from the defaults.
        weights: that trunks start from.
        keeps: whether weights, and detections, are kept.
        slot: the factor that names what stands over the trunk, "detector" or "segmenter".
        registry: its values.
        recipe_fields: what a recipe may say.

    Raises:
        StudyError: a field is wrong.
    """

    runner = "ablations.experiments.dense.runner:DenseRunner"
    page = "ablations.experiments.dense.page:DensePage"
    slot: ClassVar[str]
    registry: ClassVar[Registry]
    recipe_fields: ClassVar[Mapping[str, RecipeField]]

    def __init__(self, fields: Mapping[str, Any], home: str) -> None:
        check_fields("experiment", fields, FIELDS, ("data",))
        self.home = home
        self.data = text_field("experiment.data", fields["data"])
        self._splits = {"train": fields.get("train", TRAIN), "test": fields.get("test", TEST)}
        self.places = {name: _split_places(name, given) for name, given in self._splits.items()}
        given = mapping_field("experiment.recipe", fields.get("recipe", {}))
        self.recipe = parse_recipe(given, self.recipe_fields)
        self.weights = TrunkWeights.of(fields.get("weights"), home)
        if not isinstance(fields.get("keep", False), bool):
            raise StudyError(f"experiment.keep must be true or false, got {fields['keep']!r}")
        self.keeps: bool = fields.get("keep", False)
        self._worker: DensePlaces | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], folder: str) -> DenseExperiment:
        """Return the experiment that a study file describes."""
        return cls(fields, folder)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # what it is made of has none

    @classmethod
    def fields_of(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a study file from what a recorded trial says of its experiment."""
        found = {name: value for name, value in recorded.items() if name != "kind"}
        if "weights" in found:
            found["weights"] = TrunkWeights.field_of(found["weights"])
        return found

    @property
    def recorded(self) -> tuple[str, ...]:
        """Metrics, sizes, the loss of the last epoch, seconds."""
        return (*super().recorded, *self.more_recorded, "parameters", "train_loss", "test_images")

    @property
    def more_recorded(self) -> tuple[str, ...]:
        """Figures that a trial may have beside its metrics."""
        return ()

    @property
    def curves(self) -> tuple[str, ...]:
        """What each epoch has."""
        return ("train_loss", "lr", "seconds")

    @property
    def words(self) -> str:
        """What is trained on what, in one line."""
        return f"{self.name} on {self.data}, trained on {self.data_words('train')}, tested on {self.data_words('test')}"

    def data_words(self, split: str) -> str:
        """Return what a study calls a split."""
        given = self._splits[split]
        return given if isinstance(given, str) else str(given["images"])

    def to_json(self) -> dict[str, Any]:
        """Return what makes its trials other ones; what the data hold is in the digest that each trial records."""
        told: dict[str, Any] = {"data": os.path.basename(os.path.normpath(self.data)), **self._splits}
        if self.recipe:
            told["recipe"] = self.recipe
        return {**told, **self.weights.to_json()}

    def factors(self) -> Mapping[str, Factor]:
        """Return detector or segmenter, backbone, variant, and every field of the recipe."""
        names = ", ".join(self.registry)
        own = Factor(self.slot, f"one of {names}", partial(_registered, self.registry), value_text)
        fields = {
            PREFIX + name: Factor(
                PREFIX + name, field.accepts, partial(_recipe_value, name, self.recipe_fields), value_text
            )
            for name, field in self.recipe_fields.items()
        }
        return {self.slot: own, "backbone": backbone_factor(), "variant": variant_factor(), **fields}

    def check_factors(self, names: Iterable[str]) -> None:
        """Refuse a study that leaves open what is trained."""
        given = tuple(names)
        for name in (self.slot, "backbone", "variant"):
            if name not in given:
                raise StudyError(f"baseline.{name} is missing")

    def check(self, design: Design) -> None:
        """Refuse networks that cannot be built, and rows that are the same network, trained alike."""
        if find_spec("pycocotools") is None:
            raise ToolMissing(
                f"experiments of kind {self.name!r} need pycocotools, which is not installed: pip install"
                " 'senet-ablations[detection]'"
            )
        if design.study.chooses is not None:
            raise StudyError(
                f"experiments of kind {self.name!r} measure nothing on validation data, so that design"
                f" {design.study.design!r} has nothing to choose by"
            )
        seen: dict[str, Row] = {}
        for row in design.rows:
            values = factor_values(row)
            try:
                self.built(values)
                self.weights.file_of(values)
                normal = find_backbone(backbone_of(values)).variant(variant_of(values))
            except UserError as error:
                raise StudyError(f"row {row.label!r}: {error}") from error
            same = {**values, "variant": variant_text(normal), "recipe": self.whole_recipe(values)}
            told = json.dumps(
                [same[self.slot], same["backbone"], same["variant"], same["recipe"], row.repeat]
            )
            first = seen.setdefault(told, row)
            if first is not row:
                raise StudyError(
                    f"rows {first.label!r} and {row.label!r} are the same network, trained alike"
                )

    def describe(self, row: Row) -> Mapping[str, Fact]:
        """Return the parameters of the trunk; those of the whole depend on how many categories the data have."""
        return {"trunk_parameters": self.built(factor_values(row))}

    def built(self, values: Mapping[str, Any]) -> int:
        """Return the parameters of the trunk of a row's network, built without values.

        Raises:
            UserError: it cannot be built.
        """
        told = {name: values[name] for name in (self.slot, "backbone", "variant")}
        recipe = json.dumps(self.whole_recipe(values), sort_keys=True)
        return _parameters(type(self), json.dumps(told, sort_keys=True), recipe)

    def whole_recipe(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return every field of a row's recipe.

        Args:
            values: of its factors.
        """
        return whole_recipe(self.recipe, values, self.recipe_fields)

    @classmethod
    @abstractmethod
    def network(
        cls, values: Mapping[str, Any], recipe: Mapping[str, Any], *, num_classes: int, **given: Any
    ) -> Any:
        """Return what a row trains.

        Args:
            values: of its factors.
            recipe: every field of it.
            num_classes: with the background.
            given: `seed` and `weights` of the trunk.

        Raises:
            UserError: it cannot be built.
        """

    def check_annotations(self, split: CocoSplit, rows: Iterable[Row]) -> None:
        """Refuse data that lack something that a row's network is trained on.

        Raises:
            DataError: with the reason.
        """

    def folder(self, data_dir: Path) -> Path:
        """Return where the data are: a path from the study's folder, or a name in the folder of data sets.

        Raises:
            DataError: there is no such folder.
        """
        own, named = Path(self.home, self.data).expanduser(), data_dir / self.data
        for place in (own, named):
            if place.is_dir():
                return place
        raise DataError(
            f"experiment.data: there is no folder {self.data!r} in {self.home}, nor in {data_dir}"
        )

    def splits(self, data_dir: Path) -> tuple[CocoSplit, CocoSplit]:
        """Read and check the training and the test split.

        Raises:
            DataError: something is missing or malformed.
        """
        from ablations.experiments.dense.coco import check_same_categories, read_split

        folder = self.folder(data_dir)
        train, test = (read_split(folder, *self.places[name]) for name in ("train", "test"))
        check_same_categories(train, test)
        return train, test

    def placed(self, places: DensePlaces) -> DenseExperiment:
        """Return the experiment in a worker, which knows where everything is."""
        placed = copy.copy(self)
        placed._worker = places
        return placed

    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Train, and test."""
        assert isinstance(trial, FactorTrial)
        assert self._worker is not None
        return self.measured(trial.values, context, self._worker)

    @abstractmethod
    def measured(
        self, values: Mapping[str, Any], context: Context, places: DensePlaces
    ) -> Mapping[str, float]:
        """Train a row's network and return what was measured.

        Raises:
            Stopped: as it was asked to, with its state saved.
            ArithmeticError: the training diverged.
            DataError: the data are others than they were, or an image cannot be read.
        """


def factor_values(row: Row) -> dict[str, Any]:
    """Return the factors of a row."""
    assert isinstance(row, FactorRow)
    values: dict[str, Any] = json.loads(row.factors)
    return values


@cache
def _parameters(kind: type[DenseExperiment], values: str, recipe: str) -> int:
    import torch

    from senet_core.complexity import count_parameters
    from senet_core.dense.trunk import Trunk

    with torch.device("meta"):
        model = kind.network(json.loads(values), json.loads(recipe), num_classes=2)
    return sum(count_parameters(part) for part in model.modules() if isinstance(part, Trunk))


def _split_places(name: str, given: object) -> tuple[str, str]:
    """Return the folder of images and the file of annotations of a split, relative to the data."""
    what = f"experiment.{name}"
    if isinstance(given, str):
        text_field(what, given)
        return given, f"annotations/instances_{given}.json"
    fields = mapping_field(what, given)
    check_fields(what, fields, ("images", "annotations"), ("images", "annotations"))
    return text_field(f"{what}.images", fields["images"]), text_field(
        f"{what}.annotations", fields["annotations"]
    )


def _registered(registry: Registry, value: Any) -> str:
    return registry[value if isinstance(value, str) else str(value)].name


def _recipe_value(name: str, known: Mapping[str, RecipeField], value: Any) -> Any:
    return parse_field(name, value, known)
