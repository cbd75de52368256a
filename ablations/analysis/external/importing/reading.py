"""The runs of a source with each metric that a study measures."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ablations.analysis.external.asked import STEP, Asked
from ablations.analysis.external.importing.planned import PlannedSettings
from ablations.analysis.external.registry import read_recorded
from ablations.analysis.external.runs import Recorded, RecordedRun
from ablations.analysis.external.values import metric_name, refuse_at, value_of
from ablations.analysis.external.variants import absent
from ablations.planning.metric import Metric
from senet_core.errors import UserError, unknown

_MOST = 1e100  # what a record can hold


@dataclass(frozen=True)
class AskedImport:
    """What is asked of a source whose runs become trials; None and {} leave it to the study's own names.

    Attributes:
        settings: what the source calls a factor, by factor.
        metrics: what the source calls a metric, by metric.
        seed: what it calls the seed.
        pattern: how the names of folders, or of runs, are made up.
        at: "last", or the number of a step: which of a run's values counts.
        unit: of the values, which must be the study's; whoever states it answers for it.
        tracking_uri: MLflow's store.

    Raises:
        UserError: `at` is none of its words, or chooses among values by what they are judged by.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    seed: str = "seed"
    pattern: str | None = None
    at: str = "last"
    unit: str | None = None
    tracking_uri: str | None = None

    def __post_init__(self) -> None:
        if self.at == "best":
            raise UserError(
                "`at` takes last or the number of a step: the best of a run's values is chosen by what it is judged by,"
                " and would stand beside trials that are not"
            )
        if self.at != "last" and not STEP.fullmatch(self.at):
            raise UserError(f"`at` takes last or the number of a step, got {self.at!r}")

    def of_metric(self, name: str, settings: Sequence[str]) -> Asked:
        """Return what is asked of the source for one metric."""
        return Asked(
            variant=tuple(dict.fromkeys(settings)),
            seed=self.seed,
            metric=name,
            task="",
            pattern=self.pattern,
            at=self.at,
            tracking_uri=self.tracking_uri,
        ).composed()


@dataclass(frozen=True)
class FoundRun:
    """A run, with what a study measures.

    Attributes:
        run: as its source has it.
        values: of each metric that it has, by the study's name; a value may be NaN or infinite.
        runs: the same run as it was read for each metric.
    """

    run: RecordedRun
    values: Mapping[str, float]
    runs: Mapping[str, RecordedRun]

    def why_failed(self, metrics: Sequence[Metric], kind: str) -> str:
        """Return in words why it has no result; empty where it has one."""
        if self.run.unfinished:
            return self.run.unfinished
        for metric in metrics:
            value = self.values.get(metric.column)
            if value is None or (math.isnan(value) and kind == "line"):
                return f"without {metric.column}"
            if not abs(value) <= _MOST:
                return "diverged"
        return ""

    @property
    def digest(self) -> str:
        """SHA-256 of all that the source said of it."""
        logged = {
            column: {name: list(points) for name, points in run.metrics.items()}
            for column, run in self.runs.items()
        }
        told = json.dumps([dict(self.run.settings), logged, self.run.unfinished], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def read_runs(
    source: str, asked: AskedImport, planned: PlannedSettings, metrics: Sequence[Metric]
) -> tuple[Recorded, tuple[FoundRun, ...]]:
    """Return the runs of a source, and each with the metrics of a study.

    Args:
        source: "name:PLACE", or a place that is recognised.
        asked: how it calls things.
        planned: what the study plans.
        metrics: what the study measures.

    Raises:
        UserError: it cannot be read, has no runs, or lacks a name, in a line.
        ToolMissing: a package that it needs is not installed.
    """
    known = [metric.column for metric in metrics]
    for name in asked.metrics:
        if name not in known:
            raise unknown("metric of this study", name, known)
    _refuse_one_for_two({**planned.names, "the seed": asked.seed})
    _refuse_one_for_two({name: asked.metrics.get(name, name) for name in known})
    needed = {factor: planned.names[factor] for factor in (*planned.varied, *asked.settings)}
    read: dict[str, Recorded] = {}
    values: dict[str, list[float | None]] = {}
    for metric in metrics:
        of = asked.of_metric(asked.metrics.get(metric.column, metric.column), list(needed.values()))
        with _names_of_the_study():
            found = read_recorded(source, of)
            if not found.runs:
                raise UserError(f"{found.where} has no {found.kind}s")
            _refuse_absent(found, needed, asked.seed)
            name = metric_name(found, of, [*planned.names.values(), asked.seed])
        refuse_at(found, of, name)
        read[metric.column] = found
        values[metric.column] = [
            value_of(run.metrics[name], of, higher=False) if run.metrics.get(name) else None
            for run in found.runs
        ]
    first = read[known[0]]
    if len({tuple(run.name for run in found.runs) for found in read.values()}) > 1:
        raise UserError(f"{first.where} was changed while it was read; try again")
    return first, tuple(
        FoundRun(
            run,
            {column: value for column in known if (value := values[column][place]) is not None},
            {column: read[column].runs[place] for column in known},
        )
        for place, run in enumerate(first.runs)
    )


@contextmanager
def _names_of_the_study() -> Iterator[None]:
    """Say how an import names what the source calls otherwise, where `analyse` names a variant and a value."""
    try:
        yield
    except UserError as error:
        said = re.sub(r"`(columns\.value|metric)=NAME`", "`metric=METRIC=NAME`", str(error))
        raise type(error)(said.replace("`columns.variant=NAME`", "`settings=FACTOR=NAME`")) from error


def _refuse_one_for_two(names: Mapping[str, str]) -> None:
    """Refuse one name of the source for two things of the study."""
    own_of: dict[str, str] = {}
    for own, name in names.items():
        if own_of.setdefault(name, own) != own:
            raise UserError(
                f"{name!r} of the source cannot be two things of the study, {own_of[name]} and {own}"
            )


def _refuse_absent(recorded: Recorded, needed: Mapping[str, str], seed: str) -> None:
    known = recorded.setting_names()
    for factor, name in needed.items():
        if name not in known:
            raise UserError(
                f"{recorded.where}: {unknown('setting', name, known)}; `settings={factor}=NAME` says which is meant"
            )
    if seed not in known:
        raise absent(recorded, "setting", seed, known, "columns.seed")
