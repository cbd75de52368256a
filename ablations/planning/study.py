"""Study: what is asked, as a study file says it; each kind of experiment adds fields of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, field_validator
from pydantic import model_validator as _model_validator
from pydantic_core import PydanticKnownError
from typing_extensions import Self

from ablations.planning.choices.settings import SearchSettings, TuneSettings
from ablations.planning.designs import DESIGNS, DesignKind
from ablations.planning.designs.race import RaceSettings
from ablations.planning.metric import Metric

if TYPE_CHECKING:
    from ablations.planning.experiment import Experiment
    from ablations.planning.networks.retests import Retest

SET_BY_ITSELF = ("name", "overrides", "typed")
"""Fields that are not for study files: they come from the file's name and the command line."""

ORDER = ("name", "title", "question", "experiment", "baseline", "recipe", "axes")
"""How the fields of a study file are told: these first, the others as their class has them."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
"""Names of studies, which name folders, too."""

LONGEST_LABEL = 80
"""Characters of a row's name."""


def _known_design(name: str) -> str:
    if name not in DESIGNS:
        *most, last = map(repr, DESIGNS)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(most)} or {last}"})
    return name


DesignName = Annotated[
    str, AfterValidator(_known_design), WithJsonSchema({"type": "string", "enum": list(DESIGNS)})
]


class Study(BaseModel, ABC):
    """One question, and how it is to be answered.

    Raises:
        pydantic.ValidationError: a field is unknown, missing, of the wrong type or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chosen: ClassVar[tuple[str, str]] = ("values", "values")
    """What a tuned study chooses for a row, and for several, in words."""
    found: ClassVar[tuple[str, str]] = ("variant", "variants")
    """What a search finds, and several of it, in words."""
    task_axis: ClassVar[str] = ""
    """The axis whose values are tasks: every row is run on each, and compared with the baseline there; "" for none."""
    task_words: ClassVar[str] = "tasks"
    """What its tasks are, in the plural."""

    name: str = Field(pattern=NAME_PATTERN, description="The file's name; names folders.")
    title: str = Field(min_length=1, description="The headline of the report, in a few words.")
    question: str = Field(min_length=1, description="What the study asks, in a sentence.")
    axes: dict[str, tuple[Any, ...]] = Field(description="What is varied: an axis to the list of its values.")
    design: DesignName = Field(
        default="one-factor",
        description="; ".join(f"{kind.name}: {kind.description}" for kind in DESIGNS.values()) + ".",
    )
    tune: TuneSettings | None = Field(
        default=None, description="How `design: tuned` chooses values of its own for every row."
    )
    search: SearchSettings | None = Field(
        default=None, description="How `design: search` looks for the best values."
    )
    race: RaceSettings = Field(default=RaceSettings(), description="How `design: race` adds seeds.")
    confirm: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Fresh seeds for the best row, and for the baseline, once the others are done.",
    )
    margin: float = Field(
        default=0.2,
        gt=0,
        allow_inf_nan=False,
        description="The smallest effect of interest, in the units of the metric: smaller ones count as equivalent.",
    )
    rests_on: Literal["seeds", "images"] | None = Field(
        default=None,
        description="What verdicts hold for: seeds, for new seeds on these test data, or images, for new seeds and "
        "new test images; images if not given, where it is known which test images each trial got right and there is "
        "one analysis.",
    )
    labels: dict[str, str] = Field(
        default={},
        description="Names to show for rows: a row's label, AXIS=VALUE or a value to its name, such as "
        "{excitation=tanh: Ours}.",
    )
    seeds: tuple[int, ...] = Field(
        default=(), description="How many seeds (0, 1, ...), or the seeds themselves; a search has none."
    )
    allow_identical: bool = Field(
        default=False,
        description="Whether two rows may be the same network, trained alike; otherwise the study is refused.",
    )
    folder: str = Field(
        default="",
        description="The folder that the paths of plug-ins and images are relative to, itself relative to the study's "
        "file; that file's own if not given.",
    )
    plugins: tuple[str, ...] = Field(default=(), description="Plug-in files, relative to the study's file.")
    overrides: tuple[str, ...] = Field(default=(), description="What the command line changed.")
    typed: tuple[str, ...] = Field(default=(), description="The study and its changes, as typed.")

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, (int, list, tuple)):
            raise ValueError(f"give a number of seeds or a list of them, got {value!r}")
        if isinstance(value, int):
            if not 1 <= value <= 10_000:
                raise ValueError(f"give between 1 and 10000 seeds, got {value}")
            return tuple(range(value))
        if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in value):
            raise ValueError("seeds are whole numbers from 0")
        if len(set(value)) < len(value):
            raise ValueError("seeds must be different from each other")
        return tuple(value)

    @field_validator("labels", mode="before")
    @classmethod
    def _texts(cls, labels: object) -> object:
        """Take a value that is a whole number, such as a reduction, as a row's text."""
        if isinstance(labels, Mapping):
            return {str(row) if type(row) is int else row: shown for row, shown in labels.items()}
        return labels

    @field_validator("labels")
    @classmethod
    def _names_to_show(cls, labels: dict[str, str]) -> dict[str, str]:
        for row, shown in labels.items():
            if not shown.strip() or len(shown) > LONGEST_LABEL or not shown.isprintable():
                raise ValueError(
                    f"the name of {row!r} must be one line of 1 to {LONGEST_LABEL} printable characters, got {shown!r}"
                )
        # a command line writes é as one character, a file perhaps as two
        return {normalize("NFC", row): normalize("NFC", shown) for row, shown in labels.items()}

    @_model_validator(mode="after")
    def _answerable(self) -> Study:
        self._check_something_varies()
        kind = self.kind
        if kind.field != "race" and self.race != RaceSettings():
            raise ValueError(f"the field race belongs to design 'race', and this is design {self.design!r}")
        kind.check_seeds(self)
        for name in ("tune", "search"):
            if (getattr(self, name) is not None) != (kind.field == name):
                verb = "needs" if kind.field == name else "does not go with"
                raise ValueError(f"design {self.design!r} {verb} the field {name}")
        kind.check(self)
        return self

    def _check_something_varies(self) -> None:
        """Refuse a study that compares nothing.

        Raises:
            ValueError: with the reason.
        """
        if not self.axes:
            raise ValueError("nothing to compare: give axes")

    def check_choosing(self) -> None:
        """Refuse what a choice on validation data cannot have.

        Raises:
            ValueError: with the reason.
        """

    @property
    @abstractmethod
    def experiment(self) -> Experiment:
        """What one trial does."""

    @property
    def varied(self) -> dict[str, tuple[Any, ...]]:
        """The axes within a task."""
        return {axis: values for axis, values in self.axes.items() if axis != self.task_axis}

    def of_task(self, task: str) -> Self:
        """Return the study as it is on one of its tasks."""
        return self

    @property
    def metric(self) -> Metric:
        """What is compared: the first of the experiment's metrics."""
        return self.experiment.metrics[0]

    @property
    def keeps_weights(self) -> bool:
        """Whether the weights of trained networks are kept."""
        return False

    @property
    def retests(self) -> tuple[Retest, ...]:
        """How trained networks are tested again when the training has ended."""
        return ()

    @property
    def leaves_precision_open(self) -> bool:
        """Whether it does not say in which precision trials are computed, where they know precisions."""
        return False

    def in_precision(self, precision: str) -> Self:
        """Return the study with its trials in a precision where it leaves that open; what it asks is the same."""
        return self

    def beside(self, results_dir: str | Path) -> Self:
        """Return a study that is no file of the user's as if it were one beside the folder of results."""
        return self

    def fields(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, as a study file says them; with the name."""
        return self._dumped()

    def _dumped(self) -> dict[str, Any]:
        said: dict[str, Any] = self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"overrides", "typed", "plugins"}
        )
        plugins = [str(Path(file).absolute()) for file in self.plugins]
        return {**said, **({"plugins": plugins} if plugins else {})}

    @property
    def kind(self) -> DesignKind:
        """The kind of its design."""
        return DESIGNS[self.design]

    @property
    def chooses(self) -> TuneSettings | SearchSettings | None:
        """How it chooses on validation data; None where it chooses nothing."""
        return self.tune or self.search

    @property
    @abstractmethod
    def judged_by(self) -> Metric:
        """What a trial that takes part in a choice is judged by: measured on validation data."""


def told_fields(model: type[BaseModel]) -> list[str]:
    """Return the names of a model's fields as files have them, in the order in which they are told."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*(name for name in ORDER if name in names), *(name for name in names if name not in ORDER)]
