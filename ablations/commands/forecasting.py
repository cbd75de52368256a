"""Gathers a plan's forecast: noise, speeds, what is left, and what a wanted difference takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.analyse.noise import Noise
    from ablations.plan.design import Design
    from ablations.run.calibration import Calibration, Kind
    from ablations.run.forecast import Cost, Forecast, RowForecast
    from ablations.run.networks import Networks
    from ablations.run.places import Places
    from ablations.run.record import Record
    from ablations.run.speed import Images, Speed

Wait = Callable[[str], AbstractContextManager[Any] | None]


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
        trials: steps or trials that the times rest on, by source.
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
    from ablations.analyse.noise import pilot_noise, record_noise, stated_noise
    from ablations.run.record import FILE_NAME, Record

    if detect is not None and not math.isfinite(detect):
        raise UserError(f"--detect must be a number of points, got {detect}")
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
    fused: bool,
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
        fused: whether the sweep will train with fused passes where they can be had.
        calibrate: seconds for what no record tells; 0 for none.
        detect: a difference in points that is asked about.
        wait: shows a text while there is something to wait for.
    """
    from ablations.analyse.sensitivity import largest_family, seeds_to_detect, sensitivity
    from ablations.commands.sweeping import worker_count
    from ablations.run.forecast import FILE_NAME, Forecast, cost, keep_forecast

    size = worker_count(workers, len(design.trials))
    family, n = largest_family(design), len(design.seeds)
    timed = _Timed(design, networks, places.results_dir, data_dir, size, fused)
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


_SHOWN = ("commit", "dirty", "processor", "cores", "device", "threads", "host")


class _Timed:
    """The time of a trial of each row, as far as it is known."""

    def __init__(
        self, design: Design, networks: Networks, results_dir: Path, data_dir: Path, workers: int, fused: bool
    ) -> None:
        from ablations.run.speed import count_images

        self.design, self.networks, self.results_dir = design, networks, results_dir
        self.data_dir, self.workers = data_dir, workers
        self.images: Images | None = count_images(design.study.baseline.data, data_dir)
        self.environment = _environment(workers, fused)
        self.fused = fused
        self.rows: dict[str, RowForecast] = {}
        self.problems: dict[str, str] = {}
        self.calibration: Calibration | None = None

    def measure(self, seconds: float, wait: Wait) -> None:
        """Look at earlier records, then try what they do not tell."""
        if self.images is None:
            return
        from ablations.run.speed import earlier_speeds, whole_images

        trials = [cell.trial(0) for cell in self.design.cells]
        whole = whole_images(self.design.study.baseline.data, self.data_dir) or self.images
        speeds = earlier_speeds(trials, self.results_dir, self.environment, whole)
        unknown = self._kinds(speeds)
        if unknown and seconds > 0:
            with wait(f"trying {len(unknown)} kinds of trials for {seconds:g} s") or nullcontext():
                self.calibration = self._calibrate(unknown, seconds)
            speeds |= self.calibration.speeds
            self.problems = self.calibration.problems
        self._fill(speeds)

    def rows_of(self, seeds: int, without: frozenset[str]) -> Sequence[RowForecast] | None:
        """Give the row of each trial of so many seeds, in the order of training; None where no time is known."""
        if not self.rows:
            return None
        known = self.design.seeds
        return [
            self.rows[cell.label]
            for place in range(seeds)
            for cell in self.design.cells
            if cell.label in self.rows
            and not (place < len(known) and cell.trial(known[place]).key in without)
        ]

    def said(self, calibrate: float) -> list[str]:
        """Say why times are unknown."""
        if self.images is None:
            return [
                "time unknown: the folder of images is counted when it is prepared (`ablate data prepare`)"
            ]
        if not self.rows and not calibrate > 0:
            return ["time unknown: no earlier trial tells it, and --calibrate 0 measures nothing"]
        lacking = len(self.design.cells) - len(self.rows)
        return [f"{lacking} rows have no time and are not in the sums"] if lacking else []

    def _kinds(self, speeds: dict[str, Speed]) -> list[Kind]:
        from ablations.run.calibration import Kind

        kinds: dict[str, Kind] = {}
        for cell in self.design.cells:
            made_of = self.networks.structure(cell)
            if made_of is not None:
                kind = Kind(cell.label, cell.trial(0), made_of.multiply_adds, cell.variant is not None)
                kinds.setdefault(kind.key, kind)
        return [kind for key, kind in kinds.items() if key not in speeds]

    def _calibrate(self, kinds: list[Kind], seconds: float) -> Calibration:
        from ablations.commands.sweeping import make_pool
        from ablations.run.calibration import calibrate
        from ablations.run.devices import choose_device

        assert self.images is not None, "nothing is measured of data whose size is not known"
        return calibrate(
            kinds,
            make_executor=lambda: make_pool(self.workers),
            workers=self.workers,
            seconds=seconds,
            device=choose_device().type,
            images=self.images,
            data_dir=self.data_dir,
            plugins=self.design.study.plugins,
            fused=self.fused,
        )

    def _fill(self, speeds: dict[str, Speed]) -> None:
        from ablations.run.forecast import RowForecast, settings_key
        from ablations.run.speed import speed_key

        for cell in self.design.cells:
            content = cell.trial(0).to_json()
            speed = speeds.get(speed_key(content))
            if speed is not None and self.images is not None:
                span = speed.seconds(cell.recipe, self.images)
                self.rows[cell.label] = RowForecast(
                    cell.label, settings_key(content), span.mid, span.low, span.high, speed.rest, speed.source
                )


def _environment(workers: int, fused: bool) -> dict[str, Any]:
    """Say where the trials would run, as their records would have it."""
    import torch

    from ablations.run.devices import choose_device, fuses
    from ablations.run.environment import available_cores, describe_environment

    device = choose_device()
    return describe_environment(
        device=device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
        precision="",
        threads=max(1, available_cores() // workers),
        fused=fused and fuses(device),
    )
