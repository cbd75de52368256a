"""How long a trial of each row takes on this machine, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

from ablations.planning.design import Design
from ablations.running.cost.calibration import Calibration, SweepSetup, UntimedRow, calibrate
from ablations.running.cost.earlier_trials import earlier_speeds
from ablations.running.cost.speed import ImageCounts, Speed, count_images, speed_key, whole_images
from ablations.running.cost.sweep_cost import settings_key
from ablations.running.machine.devices import choose_device
from ablations.running.machine.environment import available_cores, describe_environment
from ablations.running.record.forecasts import RowForecast
from ablations.running.training.networks import Networks

Wait = Callable[[str], AbstractContextManager[Any] | None]
"""Shows a text while there is something to wait for."""


@dataclass(frozen=True)
class RowTimes:
    """How long a trial of each row takes.

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


def time_rows(
    design: Design,
    networks: Networks,
    setup: SweepSetup,
    seconds: float,
    *,
    make_executor: Callable[[int], Executor],
    wait: Wait = lambda text: None,
) -> RowTimes:
    """Take times from earlier records, then from a calibration what these do not tell.

    Args:
        design: the study.
        networks: what is known of its networks.
        setup: of the sweep.
        seconds: for the calibration; 0 for none.
        make_executor: opens so many workers.
        wait: shows a text during the calibration.
    """
    environment, data = _environment(setup), design.study.baseline.data
    images = count_images(data, setup.data_dir)
    if images is None:
        text = "time unknown: the folder of images is counted when it is prepared (`ablate data prepare`)"
        return RowTimes(environment, unknown=text)
    trials = [cell.trial(0) for cell in design.cells]
    whole = whole_images(data, setup.data_dir) or images
    speeds = earlier_speeds(trials, setup.results_dir, environment, whole)
    untimed, calibration = _untimed(design, networks, speeds), None
    if untimed and seconds > 0:
        with wait(f"timing {untimed[0].label} for {seconds:g} s") or nullcontext():
            calibration = calibrate(
                untimed, setup, seconds,
                images=images, make_executor=make_executor, plugins=design.study.plugins,
            )  # fmt: skip
        speeds |= calibration.speeds
    rows = _forecasts(design, speeds, images)
    unknown, lacking = "", len(design.cells) - len(rows)
    if not rows and seconds <= 0:
        unknown = "time unknown: no earlier trial tells it, and --calibrate 0 measures nothing"
    elif lacking:
        unknown = f"{lacking} rows have no time and are not in the sums"
    return RowTimes(environment, rows, calibration, unknown)


def _untimed(design: Design, networks: Networks, speeds: Mapping[str, Speed]) -> list[UntimedRow]:
    """Return one row of each kind that has no speed yet and whose network can be built."""
    found: dict[str, UntimedRow] = {}
    for cell in design.cells:
        made_of = networks.structure(cell)
        if made_of is not None:
            row = UntimedRow(cell.label, cell.trial(0), made_of.multiply_adds)
            found.setdefault(row.key, row)
    return [row for key, row in found.items() if key not in speeds]


def _forecasts(design: Design, speeds: Mapping[str, Speed], images: ImageCounts) -> dict[str, RowForecast]:
    rows = {}
    for cell in design.cells:
        content = cell.trial(0).to_json()
        speed = speeds.get(speed_key(content))
        if speed is not None:
            span, settings = speed.seconds(cell.recipe, images), settings_key(content)
            rows[cell.label] = RowForecast(
                cell.label, settings, span.mid, span.low, span.high, speed.rest, speed.source
            )
    return rows


def _environment(setup: SweepSetup) -> dict[str, Any]:
    device = choose_device()
    return describe_environment(
        device=device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
        precision="",
        threads=max(1, available_cores() // setup.workers),
        kernels=setup.kernels.on(device, "fp32"),
    )
