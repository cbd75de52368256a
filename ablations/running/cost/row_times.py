"""Time of a trial of each row on this machine, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ablations.planning.commands import prepare_command
from ablations.planning.design import Design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.row import NetworkRow, network_rows
from ablations.running.cost.calibration import UntimedRow, calibrate
from ablations.running.cost.earlier_trials import earlier_speeds
from ablations.running.cost.probe import Probe
from ablations.running.cost.speed import Speed, count_images, speed_key
from ablations.running.cost.sweep_cost import settings_key
from ablations.running.cost.times import RowTimes, TimingOptions, Wait
from ablations.running.machine.cores import available_cores
from ablations.running.machine.devices import choose_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import Kernels
from ablations.running.record.forecasts import RowForecast
from ablations.running.training.networks import Networks


def time_rows(
    design: Design,
    networks: Networks,
    results_dir: Path,
    options: TimingOptions,
    workers: int,
    *,
    make_executor: Callable[[int], Executor],
    wait: Wait = lambda text: None,
) -> RowTimes:
    """Take times from earlier records, then from a calibration what these do not tell.

    Args:
        design: the study.
        networks: what is known of its networks.
        results_dir: where earlier records are.
        options: how the sweep would run.
        workers: trials at a time.
        make_executor: opens so many workers.
        wait: shows a text during the calibration.
    """
    environment = _environment(workers, options.kernels)
    data_dir, seconds = Path(options.data_dir), options.calibrate_seconds
    by_data: dict[DataSpec, list[NetworkRow]] = {}
    for row in network_rows(design.rows):
        by_data.setdefault(row.data, []).append(row)
    whole = {data: counts for data in by_data if (counts := count_images(data, data_dir)) is not None}
    if not whole:
        return RowTimes(environment, unknown=f"time unknown: {_uncounted(next(iter(by_data)), data_dir)}")
    images = {data: counts.subset(data.train_images, data.test_images) for data, counts in whole.items()}
    counted = [row for data in whole for row in by_data[data]]
    speeds: dict[str, Speed] = {}
    for data, counts in whole.items():
        trials = [row.trial(0) for row in by_data[data]]
        speeds |= earlier_speeds(trials, results_dir, environment, counts)
    untimed, calibration = _untimed(counted, networks, speeds), None
    if untimed and seconds > 0:
        batch = min(untimed[0].trial.recipe.batch_size, *(counts.train for counts in images.values()))
        probe = Probe({}, batch, seconds, data_dir, design.study.plugins, options.kernels)
        with wait(f"timing {untimed[0].label} for {seconds:g} s") or nullcontext():
            calibration = calibrate(untimed, probe, workers, make_executor)
        speeds |= calibration.speeds
    rows = {}
    for row in counted:
        content = row.trial(0).to_json()
        if (speed := speeds.get(speed_key(content))) is not None:
            span = speed.seconds(row.recipe, images[row.data])
            rows[row.label] = RowForecast(row.label, settings_key(content), *span, speed.rest, speed.source)
    unknown, lacking = "", len(design.rows) - len(rows)
    if not rows and seconds <= 0:
        unknown = (
            "time unknown: no earlier trial tells it, and `options.calibrate_seconds=0` measures nothing"
        )
    elif lacking:
        unknown = f"{lacking} rows have no time and are not in the sums"
        uncounted = [data for data in by_data if data not in whole]
        unknown += f": {_uncounted(uncounted[0], data_dir)}" if uncounted else ""
    return RowTimes(environment, rows, calibration, unknown)


def _uncounted(data: DataSpec, data_dir: Path) -> str:
    prepare = prepare_command(data.name, data_dir, path=data.images, size=data.size)
    return f"the folder of images is counted when it is prepared: {prepare}"


def _untimed(rows: Iterable[NetworkRow], networks: Networks, speeds: Mapping[str, Speed]) -> list[UntimedRow]:
    """Return one row of each kind that has no speed yet and whose network can be built."""
    found: dict[str, UntimedRow] = {}
    for row in rows:
        made_of, trial = networks.structure(row), row.trial(0)
        if made_of is not None:
            found.setdefault(speed_key(trial.to_json()), UntimedRow(row.label, trial, made_of.multiply_adds))
    return [untimed for key, untimed in found.items() if key not in speeds]


def _environment(workers: int, kernels: Kernels) -> dict[str, Any]:
    device = choose_device()
    return describe_environment(
        device=device,
        precision="",
        threads=max(1, available_cores() // workers),
        kernels=kernels.available_on(device, "fp32"),
    )
