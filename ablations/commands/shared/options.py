"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.running.record.study_paths import StudyPaths

Command = TypeVar("Command", bound=Callable[..., Any])


class Numbers(click.FloatRange):
    """A range of finite numbers: click's own lets nan pass every bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class CountOrAuto(click.IntRange):
    """A whole number from 1 on, or `auto`."""

    name = "K|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        if value == "auto":
            return "auto"
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} is neither a whole number from 1 on nor 'auto'.", param, ctx)
        return number


def folder(name: str, variable: str, text: str) -> Callable[[Command], Command]:
    """Return an option for a folder, with an environment variable behind it."""
    return click.option(
        f"--{name}-dir",
        type=click.Path(path_type=Path),
        default=Path(name),
        envvar=variable,
        show_default=True,
        help=text,
    )


results_dir = folder("results", "ABLATE_RESULTS_DIR", "Where the records are.")
reports_dir = folder("reports", "ABLATE_REPORTS_DIR", "Where the reports are.")
data_dir = folder("data", "ABLATE_DATA_DIR", "Where the prepared data sets are.")
study_argument = click.argument("study")
changes = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the study; may be repeated.",
)
seeds = click.option("--seeds", type=int, help="Use seeds 0 to N-1 instead of the study's.")
as_written = click.option(
    "--as-written",
    is_flag=True,
    help="Take the study as its file says it; else, without --set and --seeds, it is taken as it was run last.",
)
plugins = click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE", help="Load a plug-in file; may be repeated."
)
tracking_uri = click.option(
    "--tracking-uri",
    envvar="MLFLOW_TRACKING_URI",
    help="An MLflow server or store; a database in the results folder if not given.",
)


no_tracking = click.option("--no-tracking", is_flag=True, help="Do not log to MLflow.")
workers = click.option(
    "--workers", type=click.IntRange(min=1), help="Trials at a time; as many as cores or GPUs if not given."
)
trials_per_gpu = click.option(
    "--trials-per-gpu",
    type=CountOrAuto(min=1),
    default=1,
    metavar="K|auto",
    help="Trials that share a GPU, where --workers does not say how many run at a time; auto: as many as a probe of a"
    " minute finds the best.",
)
processes_per_trial = click.option(
    "--processes-per-trial",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Processes that train each network together, on a GPU each, or on a share of the cores.",
)
executor = click.option(
    "--executor",
    metavar="ray|MODULE:FACTORY",
    help="Train on Ray, or in an executor of your own, a function of the trials at a time; worker processes here if"
    " not given.",
)
ray_address = click.option(
    "--ray-address",
    metavar="HOST:PORT",
    help="The Ray cluster, or auto for the one of this machine; RAY_ADDRESS, or a Ray of its own, if not given.",
)
cpus_per_trial = click.option(
    "--cpus-per-trial",
    type=click.IntRange(min=1),
    metavar="N",
    help="Cores and threads of a trial on Ray; 1.",
)
gpus_per_trial = click.option(
    "--gpus-per-trial",
    type=Numbers(min=0),
    metavar="SHARE",
    help="GPUs of a trial on Ray, such as 0.5; by --trials-per-gpu where the cluster has GPUs, else none.",
)
ray_data = click.option(
    "--ray-data",
    type=click.Choice(["shared", "object-store"]),
    help="Whether Ray's nodes share the data folder, as usual, or get the prepared file from Ray.",
)
trial_timeout = click.option(
    "--trial-timeout",
    type=Numbers(min=0, min_open=True),
    metavar="SECONDS",
    help="How long an attempt at a trial may take.",
)
fused = click.option(
    "--fused/--no-fused",
    default=True,
    envvar="ABLATE_FUSED",
    help="Train on a CPU with fused passes, a small library that is compiled at first use.",
)
winograd = click.option(
    "--winograd/--no-winograd",
    default=True,
    envvar="ABLATE_WINOGRAD",
    help="Train and test on a CPU in float32 with Winograd's 3x3 convolutions, likewise.",
)


storage = click.option(
    "--storage",
    envvar="ABLATE_STORAGE",
    metavar="URL",
    help="Optuna's storage, for studies that choose: a database for several sweeps at once; a file if not given.",
)


def kernels(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which computations of our own to train with; they come as one value, `kernels`."""
    from ablations.running.machine.kernels import Kernels

    @wraps(command)
    def call(*values: Any, fused: bool, winograd: bool, **words: Any) -> Any:
        return command(*values, kernels=Kernels(fused, winograd), **words)

    return fused(winograd(call))


_RUN_OPTIONS = (
    "data_dir", "tracking", "tracking_uri", "trial_timeout", "storage", "kernels", "processes_per_trial"
)  # fmt: skip


def sweep_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the commands that train; those that say where come as one value, `executors`."""
    from ablations.running.executors.factories import ExecutorOptions

    @wraps(command)
    def call(*values: Any, **words: Any) -> Any:
        from ablations.api.sweeping import RunOptions

        asked = ExecutorOptions(**{field.name: words.pop(field.name) for field in fields(ExecutorOptions)})
        words["tracking"] = not words.pop("no_tracking")
        fresh = {"fresh": words.pop("fresh")} if "fresh" in words else {}
        given = {name: words.pop(name) for name in _RUN_OPTIONS}
        with closing(asked.factory()) as executors:  # before the study, whose networks take seconds to build
            return command(*values, executors=executors, run_options=RunOptions(**given, **fresh), **words)

    of_ray = (ray_data, gpus_per_trial, cpus_per_trial, ray_address)
    training = (
        storage,
        kernels,
        trial_timeout,
        *of_ray,
        executor,
        processes_per_trial,
        trials_per_gpu,
        workers,
    )
    added: Callable[..., Any] = call
    for add in (*training, no_tracking, tracking_uri):
        added = add(added)
    return data_dir(added)


def study_options(command: Command) -> Command:
    """Add the argument and the options that say which study is meant, and where its files are."""
    for add in (reports_dir, results_dir, plugins, seeds, changes, study_argument):
        command = add(command)
    return command


@dataclass(frozen=True)
class AskedStudy:
    """Which study is meant, as it was typed, and where its files are: what `study_options` read."""

    study: str
    overrides: tuple[str, ...]
    seeds: int | None
    plugins: tuple[str, ...]
    results_dir: Path
    reports_dir: Path
    as_written: bool = True

    def open(self, *, fresh: bool = False, refuse: bool = True) -> tuple[Design, StudyPaths]:
        """Read and unfold it, as it was run last where nothing else is said.

        Args:
            fresh: whether it is begun anew, whatever its record has.
            refuse: whether to refuse a record that has rows in two precisions.

        Raises:
            UserError: whatever is wrong with it, in one line.
        """
        from ablations.commands.shared.opening import open_study
        from ablations.planning.typed_study import TypedStudy

        asked = TypedStudy(self.study, tuple(self.overrides), self.seeds, tuple(self.plugins))
        last_run = not self.as_written
        return open_study(
            asked, self.results_dir, self.reports_dir, last_run=last_run, fresh=fresh, refuse=refuse
        )


def recorded_study(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what `asked_study` adds, for commands that take a study as it was run last."""
    return asked_study(as_written(command))


def asked_study(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `study_options`, and hand them to the command as one value."""

    @wraps(command)
    def call(**words: Any) -> Any:
        asked = AskedStudy(
            **{field.name: words.pop(field.name) for field in fields(AskedStudy) if field.name in words}
        )
        return command(asked, **words)

    return study_options(call)
