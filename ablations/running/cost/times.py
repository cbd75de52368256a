"""The time of a trial of each row, and how it is looked for: values, without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.forecasts import RowForecast

if TYPE_CHECKING:
    from ablations.running.cost.calibration import Calibration

Wait = Callable[[str], AbstractContextManager[Any] | None]
"""Shows a text while there is something to wait for."""


@dataclass(frozen=True)
class TimingOptions:
    """Settings of the sweep, and of the search for its hours.

    Attributes:
        data_dir: where the prepared data sets are.
        workers: trials at a time; None for as many as cores or GPUs.
        kernels: which to train with where they can be had.
        calibrate_seconds: for what no record tells; 0 for none.
    """

    data_dir: str | Path = "data"
    workers: int | None = None
    kernels: Kernels = ALL_KERNELS
    calibrate_seconds: float = 20.0


@dataclass(frozen=True)
class RowTimes:
    """The time of a trial of each row.

    Attributes:
        environment: of this machine, as trials' records would have it.
        rows: by label; rows whose time is not known are not in it.
        calibration: None where there was none.
        unknown: why times are not known, in words; empty where all are.
    """

    environment: Mapping[str, Any]
    rows: Mapping[str, RowForecast] = field(default_factory=dict)
    calibration: Calibration | None = None
    unknown: str = ""
