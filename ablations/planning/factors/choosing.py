"""How studies of any experiment choose: `tune`, values for every row; `search`, the best of a space.

What is chosen by is a metric of the experiment's own, which it measures on validation data. It is never the metric that
the study reports, and of a proposal nothing else is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from pydantic import Field, model_validator

from ablations.errors import StudyError
from ablations.planning.choices.objective import Objective
from ablations.planning.choices.settings import RangeField, SearchSettings, TuneSettings
from ablations.planning.metric import Metric
from senet_core.errors import unknown

_VALIDATION_METRIC = (
    "The metric of the experiment that is measured on validation data, by which proposals are judged."
)
_RANGES = (
    "Factors to choose, each with [low, high] or {choices: [...]}; of whole numbers where the ends and the baseline's "
    "value are whole."
)


class FactorTune(TuneSettings):
    """How every row of `design: tuned` gets values of its own.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    validation_metric: str = Field(description=_VALIDATION_METRIC)
    ranges: dict[str, RangeField] = Field(description=_RANGES)

    @model_validator(mode="after")
    def _something_to_choose(self) -> FactorTune:
        if not self.ranges:
            raise ValueError("tune.ranges is empty: name at least one factor")
        return self


class FactorSearch(SearchSettings):
    """How `design: search` looks for values of factors: among those of the axes, and in ranges.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    validation_metric: str = Field(description=_VALIDATION_METRIC)
    objectives: tuple[str, ...] = Field(
        default=(),
        description="Metrics to make as good as can be, of which validation_metric is one; that alone if not given.",
    )
    ranges: dict[str, RangeField] = Field(default={}, description=_RANGES)

    @property
    def judged_by(self) -> str:
        """The metric that is measured on validation data."""
        return self.validation_metric


def objectives_of(
    field: str, names: Sequence[str], metrics: Sequence[Metric], judged_by: str
) -> tuple[Objective, ...]:
    """Return what proposals are judged by.

    Args:
        field: "tune" or "search".
        names: of the metrics.
        metrics: of the experiment; the first is what the study reports.
        judged_by: which one is measured on validation data.

    Raises:
        StudyError: a name is no metric, or that of the reported one.
    """
    known = {metric.column: metric for metric in metrics}
    reported = metrics[0].column
    for name in names:
        what = f"{field}.validation_metric" if name == judged_by else f"{field}.objectives"
        if name == reported:
            raise StudyError(
                f"{what} is {name!r}, which the study reports: the best of many by the reported metric looks better"
                " than it is; have the experiment measure another one on validation data, and name that"
            )
        if name not in known:
            others = [other for other in known if other != reported]
            if not others:
                raise StudyError(
                    f"{what}: {name!r} is no metric of the experiment, which has {reported!r} alone, the reported one;"
                    " add one that is measured on validation data"
                )
            raise unknown(f"metric of {what}", name, others, error=StudyError)
    return tuple(
        Objective(
            name,
            known[name],
            step=name if name == judged_by else "",
            worst=inf if known[name].lower_is_better else -inf,
        )
        for name in names
    )
