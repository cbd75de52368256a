"""How trials end: the line for the record, also where the process died, and how busy the workers were."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Literal

from ablations.planning.trial import Trial
from ablations.running.record.outcomes import check_outcomes
from ablations.running.record.study_record import NoRoom, StudyRecord
from ablations.running.record.trial_record import Failure, Kind, TrialRecord
from ablations.running.record.weights import check_weights
from ablations.running.trials.progress import Progress
from ablations.running.trials.task import TaskOutcome
from senet_core.errors import one_line


def line_of(study: str, trial: Trial, outcome: TaskOutcome, *, weights: bool = False) -> TrialRecord:
    """Return the line for a study's record of an attempt; files that came back damaged make it a failed one.

    Args:
        study: its name.
        trial: what was attempted.
        outcome: how it ended.
        weights: whether the study keeps the weights of its trials.
    """
    ended: Literal["failed", "pruned"] = "failed" if outcome.failure is not None else "pruned"
    line = TrialRecord(
        key=trial.key,
        study=study,
        status="finished" if outcome.result is not None else ended,
        trial=trial.to_json(),
        result=outcome.result,
        history=outcome.history,
        failure=outcome.failure,
        environment=outcome.environment,
        data_digest=outcome.data_digest,
        data_note=outcome.data_note,
        started=outcome.started,
        finished=outcome.finished,
    )
    if outcome.result is None:
        return line
    what = "outcomes"
    try:
        if outcome.outcomes is not None:
            check_outcomes(outcome.outcomes, line)
        elif outcome.result.outcomes_sha256 is not None:
            raise ValueError("they are not there")
        what = "weights"
        if outcome.weights is not None:
            check_weights(outcome.weights, line)
        elif weights:
            raise ValueError("they are not there")
    except ValueError as error:
        return _failed(line, "error", f"the {what} of the trial did not come back whole: {error}")
    return line


def write_down(record: StudyRecord, line: TrialRecord, outcome: TaskOutcome) -> list[TrialRecord]:
    """Add a line to a record, after its files; no room for these makes the trial a failed one, as in a worker.

    Returns:
        The line as it is read back; none where another sweep has finished the trial.

    Raises:
        DiskError: the record cannot be written.
    """
    outcomes, weights = (
        {} if content is None or line.result is None else {line.key: content}
        for content in (outcome.outcomes, outcome.weights)
    )
    try:
        return record.add_trials(line, outcomes=outcomes, weights=weights)
    except NoRoom as error:  # it goes on from its checkpoint when there is room
        return record.add_trials(_failed(line, "disk", one_line(error)))


def _failed(line: TrialRecord, kind: Kind, message: str) -> TrialRecord:
    """Return the line of a trial that was trained, and whose result could not be kept."""
    return replace(line, status="failed", result=None, failure=Failure(kind, message, len(line.history)))


def outcome_of_the_dead(
    progress: Progress, error: BaseException, *, hung_seconds: float | None
) -> TaskOutcome:
    """Return the outcome of an attempt whose process ended before it could say anything.

    Args:
        progress: what the trial had said of itself.
        error: as the executor raised it.
        hung_seconds: the time limit, where the trial was killed for passing it; None where it died otherwise.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    said = one_line(error)
    epoch = len(progress.epochs) + 1
    failure = Failure("killed", said, epoch)
    if hung_seconds is not None:
        failure = Failure("timeout", f"the trial hung for longer than {hung_seconds:g} s", epoch)
    return TaskOutcome(
        result=None,
        history=tuple(progress.epochs),
        failure=failure,
        environment=progress.environment or {},
        data_digest="",
        data_note="",
        started=now,
        finished=now,
    )


def busy_words(workers: int, busy_seconds: float, seconds: float) -> str:
    """Return in words how much of the workers' time went into trials.

    Args:
        workers: how many there were.
        busy_seconds: that trials took, summed.
        seconds: that the sweep took.
    """
    share = min(1.0, busy_seconds / (workers * seconds))
    idle = max(0.0, workers * seconds - busy_seconds)
    return (
        f"workers     {workers}, {100 * share:.1f} % of {seconds:.0f} s busy with trials;"
        f" {idle:.1f} s of start-up and waiting in all"
    )
