"""Forecast and what happened: the hours and the sensitivity that `ablate plan` foresaw, beside those that came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd

from ablations.analysis.results.noise import pooled_noise
from ablations.analysis.results.results import Results
from ablations.analysis.results.sensitivity import sensitivity
from ablations.analysis.tables.cells import Column, Number, Table, TableRow, Text
from ablations.planning.trial import in_precision
from ablations.running.cost.sweep_cost import makespan, settings_key
from ablations.running.record.forecasts import Forecast, RowForecast
from ablations.running.record.forecasts import Sensitivity as Found
from ablations.running.record.trial_record import TrialRecord

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Hours:
    """The forecast and the measured time of the trials that were forecast, in hours.

    Attributes:
        trials: finished trials that were trained after the forecast and are among its rows.
        busy_forecast, busy: training and test, all trials added up.
        wall_forecast, wall: time in which at least one of them ran; without the start of the workers.
    """

    trials: int
    busy_forecast: float
    busy: float
    wall_forecast: float
    wall: float


def choose_forecast(forecasts: Sequence[Forecast], results: Results) -> Forecast | None:
    """Return the forecast to be judged: the last before the first trial began, else the first of all."""
    if not forecasts:
        return None
    begun = min((line.started for line in results.finished.values() if line.ran_here), default=None)
    before = [forecast for forecast in forecasts if begun is None or forecast.written <= begun]
    return before[-1] if before else forecasts[0]


def hours_of(forecast: Forecast, results: Results) -> Hours | None:
    """Compare the forecast's hours with those of the trials that it foresaw; None where there are none."""
    rows = {row.settings: row for row in forecast.rows}
    after = [(line, _settings(line, rows)) for line in _trained_after(forecast, results)]
    lines = [line for line, settings in after if settings in rows]
    foreseen = [rows[settings] for _, settings in after if settings in rows]
    if not lines:
        return None
    busy = sum(
        (line.result.train_seconds or 0.0) + line.result.test_seconds
        for line in lines
        if line.result is not None
    )
    wall = makespan(((row.seconds + row.rest) for row in foreseen), forecast.workers)
    return Hours(
        trials=len(lines),
        busy_forecast=_busy(foreseen) / _SECONDS_PER_HOUR,
        busy=busy / _SECONDS_PER_HOUR,
        wall_forecast=wall / _SECONDS_PER_HOUR,
        wall=covered_seconds(lines) / _SECONDS_PER_HOUR,
    )


def hindsight_table(results: Results) -> Table | None:
    """Return forecast and outcome side by side; None without a forecast."""
    forecasts = results.forecasts
    forecast = choose_forecast(forecasts, results)
    if forecast is None:
        return None
    columns = (
        Column("figure", "", "left"),
        Column("forecast", "forecast"),
        Column("happened", "what happened"),
        Column("ratio", "happened / forecast"),
    )
    hours = hours_of(forecast, results)
    points = results.design.study.metric.points
    unit = f", {points}" if points else ""
    races = results.design.kind.races
    rows = (
        *_hour_rows(hours),
        *([_row("trials", forecast.seeds * len(forecast.rows), results.asked_trials, 0)] if races else ()),
        *_sensitivity_rows(forecast.sensitivity, _achieved(results), unit, races=races),
    )
    return Table(
        "forecast",
        "Forecast and what happened",
        columns,
        tuple(rows),
        _notes(forecast, forecasts, hours, results),
    )


def _trained_after(forecast: Forecast, results: Results) -> list[TrialRecord]:
    trained = (line for line in results.finished.values() if line.ran_here)
    return sorted(
        (line for line in trained if line.started >= forecast.written),
        key=lambda line: (line.started, line.key),
    )


def _settings(line: TrialRecord, rows: Mapping[str, RowForecast]) -> str:
    """Return what names a line's trial in a forecast, which may be as old as the line and say "auto" like it."""
    written = line.trial if line.written_as is None else in_precision(line.trial, "auto")
    return next((key for key in map(settings_key, (line.trial, written)) if key in rows), "")


def _busy(rows: Iterable[RowForecast]) -> float:
    return sum(row.seconds for row in rows)


def covered_seconds(lines: Iterable[TrialRecord]) -> float:
    """Return the seconds in which at least one trial ran; pauses between sweeps are not in it."""
    spans = sorted((pd.Timestamp(line.started), pd.Timestamp(line.finished)) for line in lines)
    seconds, end = 0.0, spans[0][0]
    for began, ended in spans:
        if ended > end:
            seconds += (ended - max(began, end)).total_seconds()
            end = ended
    return seconds


def _achieved(results: Results) -> Found | None:
    """Return what the seeds at hand find with the noise that they show."""
    noise = pooled_noise(results.values(), "this study's record")
    if noise is None:
        return None
    counts = results.trials[results.trials["status"] == "finished"].groupby("row").size()
    design = results.design
    return sensitivity(
        noise,
        # the forecast, too, is of one analysis of all seeds, and a race has no fixed number for a row
        seeds=len(design.seeds) if design.kind.races else int(median(counts)),
        comparisons=max(1, len(results.comparisons)),
        margin=design.study.margin,
    )


def _hour_rows(hours: Hours | None) -> Iterator[TableRow]:
    if hours is None:
        return
    yield _row("hours of training and test, all trials", hours.busy_forecast, hours.busy, 3)
    yield _row("hours in which trials ran", hours.wall_forecast, hours.wall, 3)


def _sensitivity_rows(
    planned: Found | None, achieved: Found | None, unit: str, *, races: bool
) -> Iterator[TableRow]:
    figures = (
        ("seeds a row, at most" if races else "seeds a row", "seeds", 0),
        (f"noise: sd of a paired difference{unit}", "sd", 3),
        (f"smallest difference found at 80 % power{unit}", "detectable", 3),
        ("the same after correction over all comparisons", "detectable_corrected", 3),
    )
    for words, name, decimals in figures:
        one, other = (None if found is None else getattr(found, name) for found in (planned, achieved))
        if one is not None or other is not None:
            yield _row(words, one, other, decimals)


def _row(words: str, forecast: float | None, happened: float | None, decimals: int) -> TableRow:
    ratio = None if forecast is None or happened is None or not forecast else happened / forecast
    return TableRow((Text(words), Number(forecast, decimals), Number(happened, decimals), Number(ratio)))


def _notes(
    forecast: Forecast, forecasts: Sequence[Forecast], hours: Hours | None, results: Results
) -> tuple[str, ...]:
    where = [
        str(forecast.environment.get("processor") or "an unknown processor"),
        f"{forecast.workers} at a time",
    ]
    commit = forecast.environment.get("commit")
    made = (
        f"Forecast of {forecast.written.replace('T', ' ').removesuffix('+00:00')} UTC for {', '.join(where)}"
    )
    made += f", commit {commit}" if commit else ""
    if len(forecasts) > 1:
        made += f"; one of {len(forecasts)} that were made, chosen as the last before the first trial"
    said = [f"{made}."]
    sources = dict.fromkeys(
        "interpolation" if row.source.startswith("like ") else row.source for row in forecast.rows
    )
    if sources:
        said.append(f"Times from {' and '.join(sources)}.")
    if hours is not None:
        said.append(
            f"Hours are of the {hours.trials} finished trials (of {results.asked_trials}) that were trained after"
            " the forecast and are among its rows; the time until the workers have begun is not in them."
        )
    if forecast.sensitivity is not None:
        said.append(f"Noise in the forecast: {forecast.sensitivity.source}.")
    if results.design.kind.races:
        said.append(
            "The differences are those that one analysis of all seeds would find, with the noise as forecast and as it"
            " was; a race, which looks more than once and stops rows early, finds only larger ones."
        )
    return tuple(said)
