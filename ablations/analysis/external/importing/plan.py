"""What an import would write: a line of the record for each run that is a trial of the study. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ablations.analysis.external.importing.notes import (
    note_of,
    notes_of_assumed,
    notes_of_failures,
    notes_of_other_settings,
    notes_of_others,
)
from ablations.analysis.external.importing.planned import Mismatch, PlannedSettings
from ablations.analysis.external.importing.reading import AskedImport, read_runs
from ablations.analysis.external.importing.refusals import (
    none_matches,
    refuse_other_unit,
    refuse_units,
    takes_runs,
    unknown_to,
    without_repeated,
)
from ablations.analysis.external.importing.taken import Taken
from ablations.analysis.external.runs import RecordedRun
from ablations.planning.design import Design
from ablations.running.machine.addresses import shown_address
from ablations.running.mlflow.values import IMPORTED, LEVEL
from ablations.running.record.imported import Imported
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import Failure, Kind, MetricsResult, TrialRecord

_GOING_ON = ("not finished", "not started", "running", "pending")
_KINDS: dict[str, Kind] = {
    "diverged": "diverged",
    "killed": "killed",
    "crashed": "killed",
    "pruned": "killed",
}


@dataclass(frozen=True)
class ImportPlan:
    """What an import comes to.

    Attributes:
        where: the source, in words.
        kind: what a run is called there.
        lines: to be written, with the label of the row, in the order of the source.
        known: runs that are in the record already.
        notes: what was left out and taken for granted, in sentences.
    """

    where: str
    kind: str
    lines: tuple[tuple[str, TrialRecord], ...]
    known: int
    notes: tuple[str, ...]


def plan_import(design: Design, record: StudyRecord, source: str, asked: AskedImport) -> ImportPlan:
    """Return what importing the runs of a source into a study would write.

    Args:
        design: the study, unfolded.
        record: its record.
        source: "name:PLACE", or a place that is recognised.
        asked: how the source calls things.

    Raises:
        StudyError: the study is of networks or of what the harness gives data to, or it chooses its rows.
        UserError: the source cannot be read, none of its runs is a trial of the study, two are one trial, a trial has
            another result already, or the values seem to be in another unit, in a line.
    """
    study = takes_runs(design.study)
    metrics = study.experiment.metrics
    refuse_other_unit(metrics, asked)
    planned = PlannedSettings(design, study, asked.settings, asked.seed)
    recorded, runs = read_runs(source, asked, planned, metrics)
    taken, others, going_on = [], [], []
    for found in runs:
        match = Mismatch("") if _is_ours(found.run) else planned.match(found.run.settings)
        if isinstance(match, Mismatch):
            if match.why:
                others.append((found.run, match))
        elif found.run.unfinished in _GOING_ON:
            going_on.append(found.run)
        else:
            taken.append(Taken(found, match, found.why_failed(metrics, recorded.kind)))
    if not taken and not going_on:
        raise none_matches(recorded, study, others)
    kept, repeated = without_repeated(recorded, taken)
    refuse_units(recorded, kept, asked, design, record)
    new, known = unknown_to(record, recorded, kept, metrics)
    shown, now = _shown(source), datetime.now(timezone.utc).isoformat(timespec="seconds")

    def line_of(one: Taken) -> TrialRecord:
        run = f"{recorded.kind} {one.found.run.identity or one.name}"
        return _line(one, study.name, Imported(shown, run, one.found.digest, asked.at, now))

    return ImportPlan(
        recorded.where,
        recorded.kind,
        tuple((one.match.row.label, line_of(one)) for one in new),
        known,
        (
            *recorded.notes,
            *notes_of_others(recorded, others),
            *note_of(recorded, going_on, "not ended yet, and left out"),
            *note_of(recorded, repeated, "without a result, repeated, and left out"),
            *notes_of_failures(recorded, new),
            *notes_of_assumed(study, kept),
            *notes_of_other_settings(recorded, kept, planned, asked.seed),
        ),
    )


def _is_ours(run: RecordedRun) -> bool:
    """Return whether a run in MLflow is the image of an imported trial, or a summary: no training of its own."""
    return IMPORTED in run.settings or run.settings.get(LEVEL) in ("summary", "report")


def _line(one: Taken, study: str, imported: Imported) -> TrialRecord:
    trial, failure = one.match.trial, None
    if one.failed:
        failure = Failure(_KINDS.get(one.failed, "error"), f"{one.failed}, as recorded in {imported.source}")
    return TrialRecord(
        key=trial.key,
        study=study,
        status="finished" if failure is None else "failed",
        trial=trial.to_json(),
        result=MetricsResult(dict(one.found.values), None) if failure is None else None,
        history=(),
        failure=failure,
        environment={},
        data_digest="",
        data_note="",
        started=imported.when,
        finished=imported.when,
        imported=imported,
    )


def _shown(source: str) -> str:
    """Return a source as it was typed, without secrets."""
    return shown_address(source) if "://" in source else source
