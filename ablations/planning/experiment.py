"""Experiment: what one trial does. The contract that each kind keeps, and the registry of the kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ablations.errors import StudyError
from ablations.planning.metric import Metric
from senet_core.errors import unknown

if TYPE_CHECKING:
    from pathlib import Path

    from ablations.planning.design import Design
    from ablations.planning.row import Row
    from ablations.planning.trial import Trial

Fact = str | int | float
"""What is known of a row without running it: a number is a cost, a text is shown."""

GROUP = "ablations.experiments"
"""The entry points by which packages add kinds."""

_SHIPPED = {
    "classification": "ablations.experiments.classification.kind:Classification",
    "command": "ablations.experiments.command.kind:Command",
    "detection": "ablations.experiments.detection.kind:Detection",
    "function": "ablations.experiments.function.kind:Function",
    "pruning": "ablations.experiments.pruning.kind:Pruning",
    "segmentation": "ablations.experiments.segmentation.kind:Segmentation",
}


@dataclass(frozen=True)
class Factor:
    """Something that may be varied.

    Attributes:
        name: as studies give it.
        accepts: its values, in words.
        parse: returns the canonical form of a value, which JSON has a form for; raises ValueError with the reason.
        text: returns a value as people read it, from its canonical form.
    """

    name: str
    accepts: str
    parse: Callable[[Any], Any]
    text: Callable[[Any], str]


class Checkpoint(Protocol):
    """The states that a trial saves, of which the two newest are kept; each is complete or not there."""

    def save(self, state: bytes) -> None:
        """Save a state, durably."""

    def newest(self) -> bytes | None:
        """Return the newest state that is whole; None where there is none."""


class Context(Protocol):
    """What the harness gives to a running trial."""

    @property
    def seed(self) -> int:
        """Of the trial; common to all rows of a study."""

    @property
    def device(self) -> str:
        """Where to compute: "cpu", "cuda" or "mps"."""

    @property
    def threads(self) -> int:
        """The cores that are the trial's."""

    @property
    def folder(self) -> Path:
        """The trial's own folder; what an earlier attempt left is there.

        It is removed when the trial has ended, unless the study says `keep: true`.
        """

    @property
    def log(self) -> Path:
        """The file for what the trial prints."""

    @property
    def continued(self) -> bool:
        """Whether an earlier attempt at this trial was stopped, or died."""

    @property
    def checkpoint(self) -> Checkpoint:
        """States that the trial saves for its next attempt."""

    def rng(self, stream: str) -> Any:
        """Return a `numpy.random.Generator` of a stream by name, common to all rows of one seed."""

    def report(self, step: int, **metrics: float) -> None:
        """Tell metrics on the way: to the screen, the record and MLflow; `step` rises from 1."""

    def should_stop(self) -> bool:
        """Return whether the trial was asked to stop: it saves its state and raises `Stopped`, or returns nothing."""

    def outcomes(self, right: Any) -> None:
        """Keep whether each test example was got right, (examples,) bool: intervals then hold for new examples."""


class Experiment(ABC):
    """What one trial of a study does: an instance says how, for one study.

    Attributes:
        name: of its kind, as `experiment: {kind: NAME}` says it.
        runner: the class that runs its trials, as "module:Class"; see `ablations.running.trials.runner`.
        timed: metrics that are times, which no two runs of a trial have in common.
        page: the class that shows them, as "module:Class"; see `ablations.analysis.tables.page`.
    """

    name: ClassVar[str]
    runner: ClassVar[str] = "ablations.running.trials.runner:Runner"
    page: ClassVar[str] = "ablations.analysis.tables.page:Page"
    timed: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """What its trials measure; the first decides."""

    @property
    def recorded(self) -> tuple[str, ...]:
        """The figures of a result, as columns of `Results.trials`."""
        return (*(metric.column for metric in self.metrics), "train_seconds")

    @property
    def curves(self) -> tuple[str, ...]:
        """The figures of an epoch or step that are shown, as columns of `Results.history`."""
        return (*(metric.column for metric in self.metrics), "seconds")

    @property
    def words(self) -> str:
        """What its trials do, in one line."""
        return self.name

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what is common to all of its trials, and part of what they are: changed code is another trial."""

    def factors(self) -> Mapping[str, Factor] | None:
        """Return what may be varied; None where a study may give any name to anything."""
        return None

    def check_factors(self, names: Iterable[str]) -> None:  # noqa: B027  (most kinds have nothing to refuse)
        """Refuse factors that have no effect, and missing ones.

        Raises:
            StudyError: with the reason.
        """

    def check(self, design: Design) -> None:  # noqa: B027  (most kinds have nothing to refuse)
        """Refuse what cannot be run or would compare a thing with itself, before anything runs.

        Raises:
            StudyError: with the reason, in one line.
        """

    def describe(self, row: Row) -> Mapping[str, Fact]:
        """Return what is known of a row without running it; each becomes a column."""
        return {}

    @abstractmethod
    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Run one trial, in a worker, and return its metrics by name; None where it stopped, as it was asked to.

        Raises:
            Exception: whatever goes wrong; it is the trial's failure.
        """

    @classmethod
    def fields_of(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a study file from what a recorded trial says of its experiment."""
        return {name: value for name, value in recorded.items() if name != "kind"}

    @classmethod
    def fields_for_files(cls, fields: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields as a study file can have them; `recorded` is what `to_json` returns."""
        return dict(fields)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], folder: str) -> Experiment:
        """Return the experiment that a study file describes.

        Args:
            fields: of `experiment:` in the file, without `kind`.
            folder: that its paths are relative to; absolute.

        Raises:
            StudyError: a field is wrong.
        """
        raise StudyError(f"experiment: kind {cls.name!r} takes no fields of a study file")


def experiment_kinds() -> tuple[str, ...]:
    """Return the names of the kinds that there are, ours first."""
    added = sorted({entry.name for entry in entry_points(group=GROUP)} - _SHIPPED.keys())
    return (*_SHIPPED, *added, *sorted(_REGISTERED.keys() - _SHIPPED.keys() - set(added)))


def experiment_kind(name: str) -> type[Experiment]:
    """Return a kind by its name.

    Raises:
        StudyError: there is none of this name, or a package's cannot be loaded.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in _SHIPPED:
        shipped: type[Experiment] = load_class(_SHIPPED[name])
        return shipped
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            try:
                found: type[Experiment] = entry.load()
            except Exception as error:  # whatever a package raises
                raise StudyError(
                    f"the experiment {name!r} of {entry.value} cannot be loaded: {error}"
                ) from error
            return found
    raise unknown("kind of experiment", name, experiment_kinds(), error=StudyError)


def register_experiment(kind: type[Experiment]) -> type[Experiment]:
    """Add a kind under its name; for plug-in files, as a decorator.

    Raises:
        StudyError: another kind has the name.
    """
    known = _REGISTERED.get(kind.name)
    if kind.name in _SHIPPED or (known is not None and known.__qualname__ != kind.__qualname__):
        raise StudyError(f"there is a kind of experiment called {kind.name!r} already")
    _REGISTERED[kind.name] = kind
    return kind


@cache
def find_experiment(name: str) -> Experiment:
    """Return the experiment of a kind that needs no fields."""
    return experiment_kind(name)()


def load_class(place: str) -> Any:
    """Return the class at "module:Class"."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


_REGISTERED: dict[str, type[Experiment]] = {}
