"""How often a study's report would be wrong, as it was last simulated; in results/STUDY/calibration.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from ablations.errors import RecordError
from ablations.planning.explain import explain
from ablations.running.machine.durable import not_written, write_durably
from ablations.running.record.schema import NewerSchema, check_schema
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import one_line

SCHEMA = 1
FILE_NAME = "calibration.json"
_AS_WRITTEN = ConfigDict(allow_inf_nan=False, extra="forbid")


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class Rate:
    """One figure of a calibration.

    Attributes:
        key: which one; see `analysis.calibration.rates`.
        value: a share between 0 and 1, or a ratio; None where nothing was counted.
        error: its standard error by the simulation.
        n: what it rests on: resampled reports, intervals, or verdicts.
    """

    key: str
    value: float | None
    error: float | None
    n: int


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class NoiseRates:
    """The figures under one kind of noise."""

    noise: str
    rates: tuple[Rate, ...]


@with_config(_AS_WRITTEN)
@dataclass(frozen=True)
class StudyCalibration:
    """How often a study's report would be wrong, were its noise that of its own record.

    Attributes:
        study: its name.
        plan: digest of its plan.
        values: digest of the values whose noise was resampled.
        rows: that are compared with the baseline.
        left_out: labels of rows without noise or without results.
        seeds: of each resampled report.
        from_seeds: seeds whose residuals were resampled: those that every row has.
        margin: smallest effect of interest, in points.
        sd: root mean square over rows of the paired differences' standard deviation, in points.
        correction: of the p of differences.
        resamples: reports of each kind.
        noises: the figures by kind of noise.
    """

    study: str
    plan: str
    values: str
    rows: int
    left_out: tuple[str, ...]
    seeds: int
    from_seeds: int
    margin: float
    sd: float
    correction: str
    resamples: int
    noises: tuple[NoiseRates, ...]


_READER = TypeAdapter(StudyCalibration)


def load_calibration(folder: Path) -> StudyCalibration | None:
    """Read the calibration of a study; None where there is none.

    Raises:
        RecordError: the file cannot be read or is damaged.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(read_bounded(path, MIB))
        check_schema(content.pop("schema"), SCHEMA)
        return _READER.validate_python(content)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"cannot read the calibration {path}: {error.strerror or error}") from error
    except NewerSchema as error:
        raise RecordError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = explain(error) if isinstance(error, ValidationError) else one_line(error)
        raise RecordError(
            f"{path} is damaged ({type(error).__name__}: {why}); remove it, and `ablate calibrate` makes another"
        ) from error


def keep_calibration(folder: Path, calibration: StudyCalibration) -> Path:
    """Write the calibration of a study in place of the last one.

    Raises:
        UserError: the file cannot be written.
        DiskError: the disk is full or fails.
    """
    path = folder / FILE_NAME
    content: dict[str, Any] = {"schema": SCHEMA, **asdict(calibration)}
    try:
        write_durably(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise not_written(f"the calibration {path}", error, chosen=True) from error
    return path
