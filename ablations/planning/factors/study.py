"""FactorStudy: a study of any experiment: a program, a Python function, or a kind that a package adds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, PrivateAttr
from pydantic import model_validator as _model_validator
from typing_extensions import Self

from ablations.errors import StudyError
from ablations.planning.designs.tuned import REPEAT
from ablations.planning.experiment import Experiment, experiment_kind, experiment_kinds
from ablations.planning.factors.choosing import FactorSearch, FactorTune
from ablations.planning.factors.values import canonical, value_text
from ablations.planning.metric import Metric
from ablations.planning.study import Study
from senet_core.errors import UserError, unknown

RESERVED = ("seed", "folder", "device", "resume", "python", REPEAT)
"""Names that the harness fills in itself, and no factor has."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class FactorStudy(Study):
    """One question about any experiment, and how it is to be answered.

    Raises:
        pydantic.ValidationError: a field is unknown, missing, of the wrong type or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    experiment_fields: dict[str, Any] = Field(
        alias="experiment",
        description="What one trial does: {command: [...]}, {call: module:function}, or {kind: NAME} of a package's.",
    )
    baseline: dict[str, Any] = Field(
        description="The factors with the values that every row is compared with: every axis, and what else is fixed."
    )
    axes: dict[str, tuple[Any, ...]] = Field(
        default={}, description="What is varied: a factor, or repeat, to the list of its values."
    )
    tune: FactorTune | None = Field(
        default=None, description="How `design: tuned` chooses values of factors for every row."
    )
    search: FactorSearch | None = Field(
        default=None, description="How `design: search` looks for values of factors."
    )
    margin: float = Field(
        gt=0,
        allow_inf_nan=False,
        description="The smallest effect of interest, in the units of the first metric: smaller ones count as "
        "equivalent.",
    )
    _experiment: Experiment = PrivateAttr()

    @_model_validator(mode="after")
    def _understood(self) -> FactorStudy:
        kind, fields = _kind_of(self.experiment_fields)
        try:
            experiment = experiment_kind(kind).from_fields(fields, self.home)
            if not experiment.metrics:
                raise StudyError("experiment: give at least one metric; the first decides")
            self._experiment = experiment
            parsed = {name: self.parsed(name, value) for name, value in self.baseline.items()}
            experiment.check_factors(parsed)
        except UserError as error:
            raise ValueError(str(error)) from error
        object.__setattr__(self, "baseline", parsed)  # it is frozen, and this is still its making
        for axis in self.axes:
            if axis != REPEAT and axis not in self.baseline:
                raise unknown("axis", axis, [*self.baseline, REPEAT])
            if not self.axes[axis]:
                raise ValueError(f"axis {axis!r} has no values")
        return self

    def _check_something_varies(self) -> None:
        if not self.axes and not (self.search is not None and self.search.ranges):
            raise ValueError("nothing to compare: give axes")

    @property
    def judged_by(self) -> Metric:
        """The metric that is measured on validation data; the reported one where the study chooses nothing."""
        chooses = self.tune or self.search
        named = None if chooses is None else chooses.validation_metric
        return next((m for m in self.experiment.metrics if m.column == named), self.metric)

    @property
    def home(self) -> str:
        """The folder that paths are relative to, and in which programs run; absolute."""
        return self.folder or os.getcwd()

    @property
    def experiment(self) -> Experiment:
        """What one trial does."""
        return self._experiment

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """What is common to all of its trials, and part of what they are."""
        return {"kind": self.experiment.name, **self.experiment.to_json()}

    def parsed(self, factor: str, value: object) -> Any:
        """Return the canonical form of a factor's value.

        Raises:
            StudyError: no factor has the name, or it does not take the value.
        """
        _check_name(factor)
        known = self._experiment.factors()
        if known is not None and factor not in known:
            raise unknown("factor", factor, known, error=StudyError)
        try:
            plain = canonical(value, self.home)
            return plain if known is None else known[factor].parse(plain)
        except ValueError as error:
            raise StudyError(f"factor {factor!r}: {error}") from error

    def text_of(self, factor: str, value: Any) -> str:
        """Return a canonical value as people read it."""
        known = self._experiment.factors()
        return value_text(value) if known is None else known[factor].text(value)

    def fields(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, as a study file says them; with the name."""
        kind = type(self._experiment)
        plain = kind.fields_for_files(self.experiment_fields, self._experiment.to_json())
        return {**self.model_copy(update={"experiment_fields": plain})._dumped(), "experiment": plain}

    def beside(self, results_dir: str | Path) -> Self:
        """Return a study that is no file of the user's as if it were one beside the folder of results."""
        if self.folder:
            return self
        fields = {**self.model_dump(by_alias=True), "folder": os.path.dirname(os.path.abspath(results_dir))}
        return type(self).model_validate(fields)


def _kind_of(fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the kind of an experiment and its other fields."""
    rest = dict(fields)
    if "kind" in rest:
        kind = rest.pop("kind")
        if not isinstance(kind, str):
            raise ValueError(f"experiment.kind is the name of a kind, got {kind!r}")
        if kind == "classification":
            raise ValueError("a study of networks has no field experiment: leave it out")
        return kind, rest
    if "command" in rest or "call" in rest:
        if "command" in rest and "call" in rest:
            raise ValueError("experiment: give a command or a call, not both")
        return ("command" if "command" in rest else "function"), rest
    kinds = ", ".join(name for name in experiment_kinds() if name != "classification")
    raise ValueError(
        f"experiment needs one of command, call and kind ({kinds}), got {', '.join(rest) or 'nothing'}"
    )


def _check_name(factor: str) -> None:
    if factor in RESERVED:
        raise StudyError(
            f"factor {factor!r}: the harness fills in {', '.join(RESERVED[:-1])} itself; take another name"
        )
    if not _NAME.fullmatch(factor):
        raise StudyError(
            f"factor {factor!r}: a name begins with a letter and goes on with letters, digits, '_', '-' or '.'"
        )
