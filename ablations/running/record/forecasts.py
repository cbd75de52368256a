"""Forecasts of what a study costs and can detect, made before it was trained; in results/STUDY/forecast.json.

The file holds every forecast that was made, oldest first, so that the report can compare what was foreseen with what
happened. Nothing is written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from ablations.errors import RecordError
from ablations.planning.explain import explain
from ablations.running.machine.durable import write_durably
from ablations.running.machine.locks import LockHeld, locked
from ablations.running.record.schema import NewerSchema, check_schema
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError, one_line

SCHEMA = 1
MOST_BYTES = 64 * MIB
"""Limit of the file: thousands of forecasts."""

FILE_NAME = "forecast.json"
_AS_WRITTEN = ConfigDict(allow_inf_nan=False, extra="forbid")


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class RowForecast:
    """The forecast time of one trial of a row.

    Attributes:
        label: the row's.
        settings: names what its trials are, but for the seed; see `running.cost.sweep_cost.settings_key`.
        seconds: training and test of a trial, as its record will have them.
        low, high: the range of `seconds`.
        rest: seconds of a trial for all else.
        source: "calibration", "earlier trials" or "like ROW".
    """

    label: str
    settings: str
    seconds: float
    low: float
    high: float
    rest: float
    source: str


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class SweepCost:
    """The time that some trials take together.

    Attributes:
        trials: how many.
        busy_seconds: of computing, all trials added up.
        wall_seconds: from the first to the last, with the start of the workers.
        low, high: the range of `wall_seconds`.
    """

    trials: int
    busy_seconds: float
    wall_seconds: float
    low: float
    high: float


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class Sensitivity:
    """The differences that the plan can detect. In points, at `power`, `alpha` and `seeds`.

    Attributes:
        sd: noise: standard deviation of a paired difference over seeds.
        sd_lo, sd_hi: its 95 % interval; None where it was stated.
        source: of the noise, in words.
        seeds: a row.
        comparisons: with the baseline, in the whole report.
        alpha: level of a table.
        power: probability of finding a difference.
        margin: the study's smallest effect of interest.
        detectable: smallest difference found by one comparison alone.
        detectable_corrected: the same at the level alpha / comparisons.
        equivalent: probability of calling an equal pair equivalent, at the level alpha.
        equivalent_corrected: the same at the level alpha / comparisons.
    """

    sd: float
    sd_lo: float | None
    sd_hi: float | None
    source: str
    seeds: int
    comparisons: int
    alpha: float
    power: float
    margin: float
    detectable: float
    detectable_corrected: float
    equivalent: float
    equivalent_corrected: float


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class Forecast:
    """One forecast.

    Attributes:
        written: ISO 8601 in UTC.
        environment: commit, processor, cores, device and threads of each trial.
        workers: trials at a time.
        seeds: a row.
        start_seconds: until a worker has begun; None where it was not measured.
        rows: time for a trial of each row; empty where no time was forecast.
        left: cost of what was not yet trained; None where no time was forecast.
        whole: cost of the whole study.
        sensitivity: None where the noise was not known.
    """

    written: str
    environment: Mapping[str, Any]
    workers: int
    seeds: int
    start_seconds: float | None
    rows: tuple[RowForecast, ...]
    left: SweepCost | None
    whole: SweepCost | None
    sensitivity: Sensitivity | None

    def to_json(self) -> dict[str, Any]:
        """Return the forecast, ready for `json.dumps`."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Forecast:
        """Read a forecast back.

        Raises:
            ValueError: a field is missing or of another form.
        """
        try:
            return _READER.validate_python(content)
        except ValidationError as error:
            raise ValueError(explain(error)) from error


_READER = TypeAdapter(Forecast)


def load_forecasts(path: Path) -> tuple[Forecast, ...]:
    """Read the forecasts of a study, oldest first; none where the file is missing.

    Raises:
        RecordError: the file cannot be read or is damaged.
    """
    try:
        content = json.loads(read_bounded(path, MOST_BYTES))
        check_schema(content["schema"], SCHEMA)
        return tuple(Forecast.from_json(forecast) for forecast in content["forecasts"])
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RecordError(f"cannot read the forecast {path}: {error.strerror or error}") from error
    except NewerSchema as error:
        raise RecordError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise RecordError(
            f"{path} is damaged ({reason}); remove it, and `ablate plan` makes another"
        ) from error


def keep_forecast(path: Path, forecast: Forecast) -> None:
    """Add a forecast to those of a study.

    Raises:
        RecordError: what is there is damaged.
        UserError: the file cannot be written.
        LockHeld: another process has held its lock for too long.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock")):
            forecasts = [known.to_json() for known in (*load_forecasts(path), forecast)]
            content = {"schema": SCHEMA, "forecasts": forecasts}
            write_durably(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    except LockHeld:
        raise
    except OSError as error:
        raise UserError(f"cannot write the forecast {path}: {error.strerror or error}") from error
