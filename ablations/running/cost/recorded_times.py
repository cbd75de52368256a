"""Times of trials that are not ours: the study's own record tells them, and nothing else can."""

from __future__ import annotations

from statistics import median

from ablations.planning.design import Design
from ablations.running.cost.sweep_cost import settings_key
from ablations.running.cost.times import RowTimes
from ablations.running.machine.plain_environment import plain_environment
from ablations.running.record.forecasts import RowForecast
from ablations.running.record.study_record import StudyRecord


def recorded_times(design: Design, record: StudyRecord, threads: int) -> RowTimes:
    """Return how long a trial of each row takes, as its finished trials took; others as the median row.

    Args:
        design: the study.
        record: its record.
        threads: the cores of a trial.
    """
    environment = plain_environment(getattr(design.study, "home", "."), threads)
    took: dict[str, list[float]] = {}
    for line in record.finished.values():
        seconds = None if line.result is None else line.result.train_seconds  # unknown of an imported trial
        if seconds is not None and line.environment.get("host") == environment["host"]:
            took.setdefault(settings_key(line.trial), []).append(seconds)
    if not took:
        return RowTimes(
            environment, unknown="time unknown: no trial of this study has run on this machine yet"
        )
    usual = median(median(seconds) for seconds in took.values())
    rows = {}
    for row in design.rows:
        key = settings_key(row.trial(0).to_json())
        known = took.get(key, [usual])
        source = "earlier trials" if key in took else "like the median row"
        rows[row.label] = RowForecast(row.label, key, median(known), min(known), max(known), 0.0, source)
    return RowTimes(environment, rows)
