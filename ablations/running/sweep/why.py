"""The reasons why a trial would run, or would not."""

from __future__ import annotations

from ablations.planning.metric import Metric
from ablations.planning.row import Row
from ablations.planning.study import Study
from ablations.planning.trial import Trial
from ablations.running.record.leases import Leases
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile


def explain_trial(row: Row, trial: Trial, paths: StudyPaths, record: TrialFile, study: Study) -> list[str]:
    """Return what a sweep would do with a trial of a study, and why.

    Args:
        row: of the trial.
        trial: that is asked about.
        paths: of its study.
        record: likewise.
        study: that is asked about it.

    Returns:
        Lines: what the trial is, and what its record, checkpoints and leases say.

    Raises:
        RecordError: the record cannot be read or is corrupt.
    """
    lines = [f"trial {trial.key}: row {row.label!r}, seed {trial.seed}, {trial}"]
    lines += _history(record, trial.key, study.judged_by if trial.proposed else study.metric)
    if trial.key in record.finished:
        return [
            *lines,
            "it would not run: a finished trial is never trained again (`fresh=True` starts the study anew)",
        ]
    if trial.key in record.pruned:
        return [*lines, "it would not run: a trial that a search stopped early stays as it is"]
    leases = Leases(paths.leases)
    holder = leases.holder(trial.key)
    if holder is not None and not leases.is_stale(trial.key):
        return [*lines, f"it would not run now: {holder} is training it"]
    saved = sorted((paths.checkpoints / trial.key).glob("*.pt"))
    if saved:
        lines.append(f"it has a checkpoint after {int(saved[-1].stem):,} steps, and continues there if code,"
                     " versions, device and threads are still the same")  # fmt: skip
    return [*lines, _would_run(record, paths, trial, weights=study.keeps_weights)]


def _history(record: TrialFile, key: str, metric: Metric) -> list[str]:
    said = []
    for line in record.lines:
        if line.key != key:
            continue
        where = f"on {line.environment.get('host', 'an unknown machine')} at {line.finished}"
        if line.result is not None:
            origin = f", for study {line.shared_from!r}" if line.shared_from else ""
            if line.imported is not None:
                where = f"elsewhere, imported from {line.imported} on {line.imported.when}"
            value = line.result.value(metric.column)
            shown = "no value" if value is None else metric.text(value)
            said.append(f"finished {where}{origin}: {metric.name} {shown}")
        elif line.status == "pruned":
            said.append(
                f"stopped early {where}, after epoch {len(line.history)}: its search found it worse than others"
            )
        elif line.failure is not None:
            said.append(f"failed {where}: {line.failure.kind}: {line.failure.message}")
    return said


def _would_run(record: TrialFile, paths: StudyPaths, trial: Trial, *, weights: bool) -> str:
    digests = {line.data_digest for line in record.finished.values()} or None
    shared = OtherStudies(paths.results_dir, paths.study, digests, weights=weights).finished([trial.key])
    if shared:
        origin = shared[0].shared_from
        if digests is None:
            return f"it would not run if its data are the same: study {origin!r} has finished it"
        return f"it would not run: study {origin!r} has finished it on the same data; its line is taken"
    if trial.key in record.failed:
        return "it would run: a trial that failed is tried again"
    return "it would run: it is not in the record"
