"""What a study would train, how long that takes on this machine, and which differences it can find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from ablations.analysis.results.noise import Noise, own_noise, pilot_noise, stated_noise
from ablations.analysis.results.results import Results
from ablations.analysis.results.sensitivity import seeds_to_detect, sensitivity
from ablations.api.planned_runs import PlannedRow, PlannedRun
from ablations.api.planners import common_fields, planner_of
from ablations.api.studies import AnyStudy, open_study
from ablations.errors import RecordError
from ablations.planning.choices.arms import choice_trials, rows_to_forecast
from ablations.planning.design import Design
from ablations.running.cost.sweep_cost import rows_of_trials, sweep_cost
from ablations.running.cost.times import RowTimes, TimingOptions, Wait
from ablations.running.executors import local_factory
from ablations.running.machine.durations import duration_text
from ablations.running.record import trial_file
from ablations.running.record.forecasts import FILE_NAME, Forecast, SweepCost, keep_forecast
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from senet_core.errors import UserError, unknown
from senet_core.given import check_above_zero

if TYPE_CHECKING:  # it loads torch
    from ablations.running.cost.calibration import Calibration

_SHOWN = ("commit", "dirty", "processor", "cores", "device", "threads", "host")
"""What a forecast keeps of the machine's description."""

_USUAL = TimingOptions()


@dataclass(frozen=True)
class NoiseSource:
    """Where the noise between seeds is taken from; the study's own record where nothing is given.

    Attributes:
        sd: standard deviation of one row's error over seeds, in points.
        rho: correlation of two rows over seeds, with `sd`; None for 0.
        pilot: another study, whose record tells the noise.
    """

    sd: float | None = None
    rho: float | None = None
    pilot: str | None = None


@dataclass(frozen=True)
class DetectionCost:
    """What finding a difference takes, at the forecast's power and level.

    Attributes:
        difference: in points.
        comparisons: with the baseline, in the whole report.
        seeds: a row, for one comparison alone; None where 1,000 would not do.
        cost: of what is not trained of these; None where no time is known.
        seeds_corrected, cost_corrected: the same after the correction over all comparisons.
    """

    difference: float
    comparisons: int
    seeds: int | None
    cost: SweepCost | None
    seeds_corrected: int | None
    cost_corrected: SweepCost | None


@dataclass(frozen=True)
class StudyPlan:
    """A study's rows, its forecast, and what a person should know of both.

    Attributes:
        design: the rows that are known before the study has chosen.
        rows: their networks.
        notes: on the networks.
        broken: row's label to why its network cannot be computed.
        left: trials to train.
        elsewhere: study to how many trials are taken from its record.
        forecast: of hours and sensitivity.
        detection: None where no difference was asked about.
        choice: what the study's choices add to its rows, in words; empty where it chooses nothing.
        calibration: None where there was none.
        said: why times or noise are unknown, and what to do.
        kept: the file that holds the forecast; None where there was nothing to keep.
    """

    design: Design
    rows: tuple[PlannedRow, ...] | tuple[PlannedRun, ...]
    notes: tuple[str, ...]
    broken: Mapping[str, str]
    left: int
    elsewhere: Mapping[str, int]
    forecast: Forecast
    detection: DetectionCost | None
    choice: str
    calibration: Calibration | None
    said: tuple[str, ...]
    kept: Path | None

    @property
    def untimed(self) -> Mapping[str, str]:
        """Row's label to why it could not be timed."""
        return {} if self.calibration is None else self.calibration.problems

    def to_json(self) -> dict[str, Any]:
        """Return the plan, ready for `json.dumps`."""
        return {
            "study": self.design.study.name,
            **common_fields(self.design.study),
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "problems": {**self.broken, **self.untimed},
            "trials": len(self.design.trials),
            "left": self.left,
            "elsewhere": dict(self.elsewhere),
            "forecast": self.forecast.to_json(),
            "detect": None if self.detection is None else asdict(self.detection),
            "kept": None if self.kept is None else str(self.kept),
            "said": list(self.said),
        }


def plan(
    study: AnyStudy,
    *,
    seeds: int | None = None,
    results_dir: str | Path = "results",
    noise: NoiseSource = NoiseSource(),
    detect: float | None = None,
    options: TimingOptions = _USUAL,
) -> StudyPlan:
    """Return what a study would train, how long that takes on this machine, and which differences it can find.

    Args:
        study: see `load_study`.
        seeds: how many seeds, instead of the study's own.
        results_dir: holds a folder for each study; the forecast is kept there.
        noise: where the noise between seeds is taken from: as stated, another study's record, or its own.
        detect: a difference in points that is asked about.
        options: how the sweep would run, and for how many seconds rows of unknown speed are timed.

    Raises:
        StudyError: the study is wrong, or compares a network with itself.
        RecordError: the record cannot be read, or the pilot's tells nothing of the noise.
        UserError: the noise inputs contradict each other, or tell nothing that is needed.
    """
    if not isinstance(noise, NoiseSource):
        raise UserError(
            f"`noise` is `ab.NoiseSource(sd=POINTS)` or `ab.NoiseSource(pilot=STUDY)`, got {noise!r}"
        )
    if not isinstance(options, TimingOptions):
        raise UserError(f"`options` are `ab.TimingOptions(data_dir=..., workers=..., ...)`, got {options!r}")
    if detect is not None:
        check_above_zero("`detect`", detect)
    design, paths = open_study(study, results_dir, seeds=seeds)
    return plan_study(design, paths, noise=noise, detect=detect, options=options)


def plan_study(
    design: Design,
    paths: StudyPaths,
    *,
    noise: NoiseSource = NoiseSource(),
    detect: float | None = None,
    options: TimingOptions = _USUAL,
    wait: Wait = lambda text: None,
) -> StudyPlan:
    """Make the forecast of a study and keep it in its results folder.

    Args:
        design: the study.
        paths: its folders.
        noise: where the noise between seeds is taken from.
        detect: a difference in points that is asked about.
        options: how the sweep would run.
        wait: shows a text while there is something to wait for.

    Raises:
        StudyError: rows are one network, or images are too small for one.
        RecordError: the record cannot be read, or the pilot's tells nothing of the noise.
        DataError: the prepared images are damaged.
        UserError: the noise inputs contradict each other, or tell nothing that is needed.
    """
    asked, design = design, rows_to_forecast(design)
    record = paths.open_record()
    planned = planner_of(design, Path(options.data_dir))
    planned.check()
    finished, elsewhere = _finished(design, paths, record, planned.digests())
    known_noise = _find_noise(design, paths, record, noise, needed=detect is not None)
    rows, notes = planned.rows(finished), planned.notes()
    left = sum(trial.key not in finished for trial in design.trials)
    workers = local_factory.worker_count(options.workers, len(design.trials))
    times = planned.times(record, options if left else replace(options, calibrate_seconds=0.0), workers, wait)
    forecast = _forecast(design, times, workers, finished, known_noise)
    detection = None
    if detect is not None and known_noise is not None:
        detection = _detection(detect, design, known_noise, forecast, finished)
    said = [times.unknown] if left and times.unknown else []
    if known_noise is None:
        said.append(
            "noise unknown: state it with `noise.sd=POINTS`, or name a study that trained alike with"
            " `noise.pilot=STUDY`"
        )
    kept = None
    if left and (forecast.rows or forecast.sensitivity):
        kept, fault = _keep(paths.results / FILE_NAME, forecast)
        said.extend(fault)
    return StudyPlan(
        design=design,
        rows=rows,
        notes=notes,
        broken=dict(planned.problems),
        left=left,
        elsewhere=elsewhere,
        forecast=forecast,
        detection=detection,
        choice=_choice(asked, forecast),
        calibration=times.calibration,
        said=tuple(said),
        kept=kept,
    )


def _finished(
    design: Design, paths: StudyPaths, record: StudyRecord, digests: Collection[str]
) -> tuple[frozenset[str], Mapping[str, int]]:
    """Return the trials that are not to be trained, and how many of them are in which other study's record alone."""
    missing = [trial.key for trial in design.trials if trial.key not in record.finished]
    others = OtherStudies(paths.results_dir, paths.study, digests, weights=design.study.keeps_weights)
    found = others.finished(missing) if missing else []
    origins = Counter(line.shared_from or "" for line in found)
    return frozenset(record.finished) | {line.key for line in found}, origins


def _keep(file: Path, forecast: Forecast) -> tuple[Path | None, tuple[str, ...]]:
    """Write a forecast; return its file, or None and why: a plan is worth something without it, too."""
    try:
        keep_forecast(file, forecast)
    except UserError as error:
        return None, (f"the forecast is not kept: {error}",)
    return file, ()


def _find_noise(
    design: Design, paths: StudyPaths, record: StudyRecord, source: NoiseSource, *, needed: bool
) -> Noise | None:
    if source.sd is not None and source.pilot is not None:
        raise UserError("give the noise by `noise.sd` or by `noise.pilot`, not by both")
    if source.rho is not None and source.sd is None:
        raise UserError("`noise.rho` belongs to `noise.sd`")
    if source.sd is not None:
        return stated_noise(source.sd, source.rho or 0.0)
    if source.pilot is not None:
        name = trial_file.FILE_NAME
        known = sorted(path.parent.name for path in paths.results_dir.glob(f"*/{name}"))
        if source.pilot not in known:
            raise unknown("study with a record", source.pilot, known, error=RecordError)
        pilot = trial_file.TrialFile.load(paths.results_dir / source.pilot / name)
        return pilot_noise(design, source.pilot, pilot)
    noise = own_noise(Results(design, record))
    if noise is None and needed:
        raise UserError(
            "`detect` needs the noise between seeds, and this study's record does not tell it yet: state it with"
            " `noise.sd=POINTS`, or name a study that trained alike with `noise.pilot=STUDY`"
        )
    return noise


def _forecast(
    design: Design, times: RowTimes, workers: int, finished: frozenset[str], noise: Noise | None
) -> Forecast:
    seeds, start = len(design.seeds), None if times.calibration is None else times.calibration.start_seconds
    left, whole = (
        sweep_cost(rows_of_trials(design, times.rows, seeds, without), workers, start or 0.0)
        if times.rows
        else None
        for without in (finished, frozenset[str]())
    )
    found = None
    if noise is not None:
        family, margin = design.kind.comparisons(design), design.study.margin
        found = sensitivity(noise, seeds=seeds, comparisons=family, margin=margin)
    return Forecast(
        written=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment={name: times.environment.get(name) for name in _SHOWN},
        workers=workers,
        seeds=seeds,
        start_seconds=start,
        rows=tuple(times.rows.values()),
        left=left,
        whole=whole,
        sensitivity=found,
    )


def _detection(
    difference: float, design: Design, noise: Noise, forecast: Forecast, finished: frozenset[str]
) -> DetectionCost:
    rows = {row.label: row for row in forecast.rows}

    def cost(seeds: int | None) -> SweepCost | None:
        if seeds is None or not rows:
            return None
        trained = rows_of_trials(design, rows, seeds, finished)
        return sweep_cost(trained, forecast.workers, forecast.start_seconds or 0.0)

    family = design.kind.comparisons(design)
    alone, corrected = seeds_to_detect(difference, noise, family)
    return DetectionCost(difference, family, alone, cost(alone), corrected, cost(corrected))


def _choice(design: Design, forecast: Forecast) -> str:
    proposals, chosen = choice_trials(design)
    search = design.study.search
    if search is not None and search.hours is not None:
        return (
            f"The search adds {search.hours:g} hours of training, and up to {chosen} trials of its winners."
        )
    if not proposals:
        return ""
    about = ""
    if forecast.rows:
        seconds = mean(row.seconds + row.rest for row in forecast.rows)
        wall = duration_text((proposals + chosen) * seconds / forecast.workers)
        about = f", together about {wall} if they are like the rows above"
    return f"The choice adds {proposals} proposals and up to {chosen} trials of what it chooses{about}."
