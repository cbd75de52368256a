"""Gathers a plan's forecast: noise, speeds, what is left, and what a wanted difference takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.analysis.results.noise import Noise
    from ablations.planning.design import Design
    from ablations.running.cost.calibration import Calibration
    from ablations.running.cost.trial_times import Wait
    from ablations.running.machine.kernels import Kernels
    from ablations.running.record.forecast import Cost, Forecast
    from ablations.running.record.study_paths import Places
    from ablations.running.record.trial_file import Record
    from ablations.running.training.networks import Networks


_SHOWN = ("commit", "dirty", "processor", "cores", "device", "threads", "host")
"""What a forecast keeps of the machine's description."""


@dataclass(frozen=True)
class Wanted:
    """What finding a difference takes, at the forecast's power and level.

    Attributes:
        difference: in points.
        comparisons: in the largest table.
        seeds: a row, for one comparison alone; None where 1,000 would not do.
        cost: of what is not trained of these; None where no time is known.
        seeds_corrected, cost_corrected: the same after the correction over the largest table.
    """

    difference: float
    comparisons: int
    seeds: int | None
    cost: Cost | None
    seeds_corrected: int | None
    cost_corrected: Cost | None


@dataclass(frozen=True)
class Plan:
    """A forecast, and what a person should know of it.

    Attributes:
        forecast: to be kept.
        wanted: None where no difference was asked about.
        calibration: None where there was none.
        problems: row's label to why it has no time.
        said: why times or noise are unknown, and what to do.
        kept: the file that holds the forecast; None where there was nothing to keep.
    """

    forecast: Forecast
    wanted: Wanted | None
    calibration: Calibration | None
    problems: dict[str, str]
    said: tuple[str, ...]
    kept: Path | None


def choose_noise(
    design: Design,
    places: Places,
    record: Record,
    sd: float | None,
    rho: float | None,
    pilot: str | None,
    detect: float | None,
) -> Noise | None:
    """Take the noise as it is stated, else from the pilot that is named, else from the study's own record.

    Raises:
        UserError: the options contradict each other, the pilot is of no use, or nothing is known and it is needed.
    """
    from ablations.analysis.results.noise import pilot_noise, record_noise, stated_noise
    from ablations.running.record.trial_file import FILE_NAME, Record

    if sd is not None and pilot is not None:
        raise UserError("give the noise by --sd or by --pilot, not by both")
    if rho is not None and sd is None:
        raise UserError("--rho belongs to --sd")
    if sd is not None:
        return stated_noise(sd, rho or 0.0)
    if pilot is not None:
        known = sorted(path.parent.name for path in places.results_dir.glob(f"*/{FILE_NAME}"))
        if pilot not in known:
            raise unknown("study with a record", pilot, known)
        return pilot_noise(design, pilot, Record.load(places.results_dir / pilot / FILE_NAME))
    noise = record_noise(design, record)
    if noise is None and detect is not None:
        raise UserError(
            "--detect needs the noise between seeds, and this study's record does not tell it yet: state it with --sd"
            " POINTS, or name a study that trained alike with --pilot STUDY"
        )
    return noise


def make_plan(
    design: Design,
    places: Places,
    networks: Networks,
    finished: frozenset[str],
    noise: Noise | None,
    *,
    data_dir: Path,
    workers: int | None,
    kernels: Kernels,
    calibrate: float,
    detect: float | None,
    wait: Wait = lambda text: None,
) -> Plan:
    """Make the forecast of a study and keep it.

    Args:
        design: the study.
        places: its folders.
        networks: what is known of its networks.
        finished: keys of finished trials.
        noise: None where it is not known.
        data_dir: where the prepared data sets are.
        workers: trials at a time; None for as many as cores or GPUs.
        kernels: which the sweep will train with where they can be had.
        calibrate: seconds for what no record tells; 0 for none.
        detect: a difference in points that is asked about.
        wait: shows a text while there is something to wait for.
    """
    from ablations.analysis.results.sensitivity import largest_family, seeds_to_detect, sensitivity
    from ablations.running.cost.trial_times import TrialTimes
    from ablations.running.executors.factories import worker_count
    from ablations.running.record.forecast import FILE_NAME, Forecast, cost, keep_forecast

    size = worker_count(workers, len(design.trials))
    family, n = largest_family(design), len(design.seeds)
    timed = TrialTimes(design, networks, places.results_dir, data_dir, size, kernels)
    left = any(trial.key not in finished for trial in design.trials)
    timed.measure(calibrate if left else 0.0, wait)
    start = timed.calibration.start if timed.calibration else None

    def costs(seeds: int, *, without: frozenset[str]) -> Cost | None:
        rows = timed.rows_of(seeds, without)
        return cost(rows, size, start or 0.0) if rows is not None else None

    forecast = Forecast(
        written=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment={name: timed.environment.get(name) for name in _SHOWN},
        workers=size,
        seeds=n,
        start_seconds=start,
        rows=tuple(timed.rows.values()),
        left=costs(n, without=finished),
        whole=costs(n, without=frozenset()),
        sensitivity=None
        if noise is None
        else sensitivity(noise, seeds=n, comparisons=family, margin=design.study.margin),
    )
    wanted = None
    if detect is not None and noise is not None:
        alone, corrected = seeds_to_detect(detect, noise, family)
        first, second = (
            None if seeds is None else costs(seeds, without=finished) for seeds in (alone, corrected)
        )
        wanted = Wanted(detect, family, alone, first, corrected, second)
    said, kept = timed.said(calibrate) if left else [], None
    if noise is None:
        said.append(
            "noise unknown: state it with --sd POINTS, or name a study that trained alike with --pilot STUDY"
        )
    if left and (forecast.rows or forecast.sensitivity):
        try:
            keep_forecast(places.results / FILE_NAME, forecast)
            kept = places.results / FILE_NAME
        except UserError as error:  # a plan is worth something to those, too, who may not write
            said.append(f"the forecast is not kept: {error}")
    return Plan(forecast, wanted, timed.calibration, timed.problems, tuple(said), kept)
