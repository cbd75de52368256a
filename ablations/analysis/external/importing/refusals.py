"""What an import refuses, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablations.analysis.external.asked import compose
from ablations.analysis.external.checks import RunRow, refuse_mixed_units, refuse_two_in_one
from ablations.analysis.external.importing.planned import Mismatch
from ablations.analysis.external.importing.reading import AskedImport
from ablations.analysis.external.importing.taken import Taken
from ablations.analysis.external.runs import Recorded, RecordedRun, listed
from ablations.errors import StudyError
from ablations.planning.design import Design
from ablations.planning.experiment import Experiment
from ablations.planning.factors.study import FactorStudy
from ablations.planning.metric import Metric
from ablations.planning.study import Study
from ablations.running.record.study_record import StudyRecord
from senet_core.errors import UserError


def takes_runs(study: Study) -> FactorStudy:
    """Return a study whose trials are their settings, seed and metrics, and nothing else; refuse another one."""
    if not isinstance(study, FactorStudy):
        why = "is of networks, whose trials carry outcomes on each test image and digests of weights, as no runs do"
    elif study.experiment.runner != Experiment.runner:
        why = f"is of {study.experiment.name}, whose trials carry the digest of the data that they were given here"
    elif study.chooses is not None:
        why = f"chooses what it compares (design: {study.design}): which trials it has is known after its own proposals"
    else:
        return study
    raise StudyError(
        f"study {study.name!r} {why}; `ablate analyse SOURCE` compares recorded runs as they are"
    )


def refuse_other_unit(metrics: Sequence[Metric], asked: AskedImport) -> None:
    """Refuse a stated unit that no metric of the study has: values are not converted."""
    if asked.unit is not None and asked.unit not in {metric.unit for metric in metrics}:
        units = ", ".join(f"{metric.column} in {metric.unit or 'no unit'}" for metric in metrics)
        raise UserError(
            f"`unit` {asked.unit!r} is not the study's, which has {units}; values are not converted"
        )


def none_matches(
    recorded: Recorded, study: Study, others: Sequence[tuple[RecordedRun, Mismatch]]
) -> UserError:
    """Return the error for a source none of whose runs is a trial: what is nearest to one, and what differs."""
    if not others:
        return UserError(
            f"{recorded.where} has no {recorded.kind}s but those that our own sweeps have logged"
        )
    run, mismatch = next(((r, m) for r, m in others if m.seed is not None), others[0])
    return UserError(
        f"{recorded.where}: no {recorded.kind} is a trial of study {study.name!r}; for {recorded.kind} {run.name},"
        f" {mismatch.why}"
    )


def without_repeated(recorded: Recorded, taken: Sequence[Taken]) -> tuple[list[Taken], list[RecordedRun]]:
    """Return the runs without failed ones that were repeated, and these; two of one trial with results are refused."""
    kept: dict[str, Taken] = {}
    dropped = []
    for one in taken:
        key = one.match.trial.key
        earlier = kept.setdefault(key, one)
        if earlier is one:
            continue
        if not earlier.failed and not one.failed:
            ours, theirs = earlier.found.run.settings, one.found.run.settings
            differ = [
                n for n in ours if n in theirs and ours[n] != theirs[n] and n not in ("run_id", "run_name")
            ]
            hint = f"; they differ in {listed(differ)}, which may belong to the study" if differ else ""
            raise UserError(
                f"{recorded.where}, {recorded.kind}s {earlier.name} and {one.name}: both are the trial"
                f" {one.match.row.label!r}, seed {one.match.trial.seed}{hint}"
            )
        kept[key], other = (one, earlier) if earlier.failed else (earlier, one)
        dropped.append(other.found.run)
    return list(kept.values()), dropped


def refuse_units(
    recorded: Recorded,
    kept: Sequence[Taken],
    asked: AskedImport,
    design: Design,
    record: StudyRecord,
) -> None:
    """Refuse values of which some seem to be fractions, among themselves, beside the record's and for their unit."""
    for metric in design.study.experiment.metrics:
        rows = [
            RunRow(
                one.found.runs[metric.column], "", one.match.row.label, str(one.match.trial.seed),
                one.found.values[metric.column],
            )
            for one in kept
            if not one.failed
        ]  # fmt: skip
        refuse_two_in_one(recorded, rows, compose(asked.metrics.get(metric.column, metric.column)))
        if asked.unit is not None:
            continue
        refuse_mixed_units(recorded, [*rows, *_recorded_rows(metric, design, record)], metric.column)
        values = [row.value for row in rows]
        if metric.unit == "%" and values and max(values) > 0 and min(values) >= 0 and max(values) <= 1:
            raise UserError(
                f"{recorded.where}: values of {metric.column!r} are {min(values):g} to {max(values):g}, as if"
                " fractions, and the study has it in %; give them in %, or state `unit=%` if they are"
            )


def _recorded_rows(metric: Metric, design: Design, record: StudyRecord) -> Iterator[RunRow]:
    for key, (row, trial) in design.by_key.items():
        line = record.finished.get(key)
        value = None if line is None or line.result is None else line.result.value(metric.column)
        if value is not None:
            yield RunRow(RecordedRun(f"{key} of the record", {}, {}), "", row.label, str(trial.seed), value)


def unknown_to(
    record: StudyRecord, recorded: Recorded, kept: Sequence[Taken], metrics: Sequence[Metric]
) -> tuple[list[Taken], int]:
    """Return the runs that a record does not have, and how many it has; another result of a trial is refused."""
    new, known = [], 0
    for one in kept:
        line = record.finished.get(one.match.trial.key)
        if line is None and not (one.failed and one.match.trial.key in record.failed):
            new.append(one)
            continue
        known += 1
        if line is None or line.result is None or one.failed:
            continue
        for metric in metrics:
            before, now = line.result.value(metric.column), one.found.values[metric.column]
            if before != now:
                origin = "that ran here" if line.imported is None else f"imported from {line.imported}"
                raise UserError(
                    f"{recorded.where}, {recorded.kind} {one.name}: the trial {one.match.row.label!r}, seed"
                    f" {one.match.trial.seed}, has another result already, {origin}: {metric.column} {before:g}, and"
                    f" the {recorded.kind} has {now:g}"
                )
    return new, known
