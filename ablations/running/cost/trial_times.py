"""The time of a trial of each row on this machine, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.running.cost.calibration import Calibration, Kind
    from ablations.running.cost.speed import Images, Speed
    from ablations.running.machine.kernels import Kernels
    from ablations.running.record.forecast import RowForecast
    from ablations.running.training.networks import Networks

Wait = Callable[[str], AbstractContextManager[Any] | None]
"""Shows a text while there is something to wait for."""


class TrialTimes:
    """The time of a trial of each row: `measure` finds it out.

    Args:
        design: the study.
        networks: what is known of its networks.
        results_dir: where earlier records are.
        data_dir: where the prepared data sets are.
        workers: trials at a time.
        kernels: which the sweep will train with where they can be had.

    Attributes:
        images: of a trial; None where only the folder of images knows.
        environment: of this machine.
        rows: by label; rows whose time is not known are not in it.
        problems: row's label to why it could not be timed.
        calibration: None where there was none.
    """

    def __init__(
        self,
        design: Design,
        networks: Networks,
        results_dir: Path,
        data_dir: Path,
        workers: int,
        kernels: Kernels,
    ) -> None:
        from ablations.running.cost.speed import count_images

        self.design, self.networks, self.results_dir = design, networks, results_dir
        self.data_dir, self.workers = data_dir, workers
        self.images: Images | None = count_images(design.study.baseline.data, data_dir)
        self.environment = _environment(workers, kernels)
        self._kernels = kernels
        self.rows: dict[str, RowForecast] = {}
        self.problems: dict[str, str] = {}
        self.calibration: Calibration | None = None

    def measure(self, seconds: float, wait: Wait) -> None:
        """Look at earlier records, then try what they do not tell."""
        if self.images is None:
            return
        from ablations.running.cost.speed import earlier_speeds, whole_images

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
        from ablations.running.cost.calibration import Kind

        kinds: dict[str, Kind] = {}
        for cell in self.design.cells:
            made_of = self.networks.structure(cell)
            if made_of is not None:
                kind = Kind(cell.label, cell.trial(0), made_of.multiply_adds, cell.variant is not None)
                kinds.setdefault(kind.key, kind)
        return [kind for key, kind in kinds.items() if key not in speeds]

    def _calibrate(self, kinds: list[Kind], seconds: float) -> Calibration:
        from ablations.running.cost.calibration import calibrate
        from ablations.running.executors.factories import make_pool
        from ablations.running.machine.devices import choose_device

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
            kernels=self._kernels,
        )

    def _fill(self, speeds: dict[str, Speed]) -> None:
        from ablations.running.cost.speed import speed_key
        from ablations.running.record.forecast import RowForecast, settings_key

        for cell in self.design.cells:
            content = cell.trial(0).to_json()
            speed = speeds.get(speed_key(content))
            if speed is not None and self.images is not None:
                span = speed.seconds(cell.recipe, self.images)
                self.rows[cell.label] = RowForecast(
                    cell.label, settings_key(content), span.mid, span.low, span.high, speed.rest, speed.source
                )


def _environment(workers: int, kernels: Kernels) -> dict[str, Any]:
    """Say where the trials would run, as their records would have it."""
    import torch

    from ablations.running.machine.devices import choose_device
    from ablations.running.machine.environment import available_cores, describe_environment

    device = choose_device()
    return describe_environment(
        device=device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
        precision="",
        threads=max(1, available_cores() // workers),
        kernels=kernels.available_on(device, "fp32"),
    )
