"""`make bench`: how fast training is, beside what one would use instead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console

from ablations.analysis.tables.screen import ScreenTable
from ablations.commands.shared import options
from ablations.commands.shared.console import make_console
from ablations.running.machine.cores import available_cores
from bench.contenders.entries import chosen
from bench.measures import AccuracyCourse, measure_accuracy, measure_unequal
from bench.table import bench_table
from bench.throughput import Course, describe_bench, run_bench, write_bench
from senet_core.errors import UserError

MEASURES = {
    "throughput": ("contenders", "rounds", "steps", "warmup", "batch", "cores"),
    "unequal": ("cores", "images"),
    "time-to-accuracy": ("target", "epochs", "seeds", "images"),
}
"""What can be measured, and the options that go with it."""


@click.command("bench")
@click.argument("contenders", nargs=-1)
@click.option(
    "--measure", type=click.Choice(tuple(MEASURES)), default="throughput", show_default=True, help="What."
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Turns of each.")
@click.option("--steps", type=click.IntRange(min=2), default=20, show_default=True, help="Timed in a turn.")
@click.option("--warmup", type=click.IntRange(min=1), default=5, show_default=True, help="Steps before.")
@click.option("--batch", type=click.IntRange(min=2), default=128, show_default=True, help="Images in a step.")
@click.option("--cores", type=click.IntRange(min=1), help="That each may use; all if not given.")
@click.option("--images", type=click.IntRange(min=128), help="Of an epoch.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Trainings of each.")
@click.option(
    "--epochs", type=options.Numbers(min=0.1), default=5.0, show_default=True, help="Of a training."
)
@click.option(
    "--target", type=options.Numbers(0, 100), default=78.0, show_default=True, help="Accuracy in per cent."
)
@options.results_dir
@options.data_dir
@click.pass_context
def command(
    context: click.Context,
    contenders: tuple[str, ...],
    measure: str,
    rounds: int,
    steps: int,
    warmup: int,
    batch: int,
    cores: int | None,
    images: int | None,
    seeds: int,
    epochs: float,
    target: float,
    results_dir: Path,
    data_dir: Path,
) -> None:
    """Time our training of SE-ResNet-20 against CONTENDERS, in turns: plain PyTorch, Lightning and timm.

    Takes CIFAR-10 where it is prepared, random images otherwise; what is not installed is left out. Trust the
    ratios, which compare the same rounds. Ours is a whole sweep with record, MLflow and checkpoints, timed while it
    trains. Writes results/bench/.

    --measure unequal trains 24 trials of unequal length in one sweep and says how busy its workers were, with --cores
    and --images. --measure time-to-accuracy trains ours and plain PyTorch on one core with one recipe until a test
    accuracy is reached, with --target, --epochs, --seeds and --images; it takes hours.
    """
    _refuse_others(context, measure)
    prepared = data_dir / "cifar10.safetensors"
    data = prepared if prepared.is_file() else None
    console = make_console()
    used = cores or available_cores()
    if measure == "unequal":
        path = _unequal(used, images, data, results_dir, console)
    elif measure == "time-to-accuracy":
        path = _accuracy(AccuracyCourse(target, epochs, seeds, images, data), results_dir, console)
    else:
        course = Course(rounds=rounds, steps=steps, warmup=warmup, batch=batch, cores=used, data=data)
        path = _throughput(contenders, course, results_dir, console)
    console.print(f"written     {path}", soft_wrap=True)


def _refuse_others(context: click.Context, measure: str) -> None:
    """Refuse options that would do nothing."""
    every = {name for names in MEASURES.values() for name in names}
    for name in sorted(every - set(MEASURES[measure])):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and context.params[name] != ():
            shown = "CONTENDERS" if name == "contenders" else f"--{name}"
            others = " or ".join(other for other, names in MEASURES.items() if name in names)
            raise UserError(f"{shown} does not go with --measure {measure}, but with {others}")


def _throughput(contenders: Sequence[str], course: Course, results_dir: Path, console: Console) -> Path:
    entered, load = chosen(contenders), os.getloadavg()[0]
    found = run_bench(entered, course, say=console.print)
    content = describe_bench(found, course, load_before=load)
    path = write_bench(content, results_dir)
    table = bench_table(content)
    console.print(table.title)
    console.print(ScreenTable(table))
    for one in found:
        if "wall_images_per_second" in one.told:
            console.print(
                f"{one.title}: {one.told['wall_images_per_second']:.0f} images/s of the last round's sweep with tests"
                f" and changeovers; {one.told['seconds_beside_training']:.1f} s a trial beside its training",
                soft_wrap=True,
            )
    return path


def _unequal(cores: int, images: int | None, data: Path | None, results_dir: Path, console: Console) -> Path:
    found, path = measure_unequal(cores, images, data, results_dir)
    console.print(
        f"{found['trials']} trials of {found['shortest_trial_seconds']:.0f} to {found['longest_trial_seconds']:.0f} s,"
        f" {found['workers']} workers, {found['wall_seconds']:.0f} s: {100 * found['busy']:.1f} % busy, idle"
        f" {100 * found['idle_before']:.1f} % before the first trial, {100 * found['idle_between']:.1f} % between"
        f" trials, {100 * found['idle_after']:.1f} % after the last",
        soft_wrap=True,
    )
    return path


def _accuracy(asked: AccuracyCourse, results_dir: Path, console: Console) -> Path:
    found, path = measure_accuracy(asked, results_dir, say=console.print)
    for name, seconds in found["median_seconds"].items():
        told = "not reached by every seed" if seconds is None else f"{seconds:.0f} s"
        console.print(f"{asked.target:g} % by {name}: {told}")
    if found["ratio"] is not None:
        console.print(f"ratio of times, median over {asked.seeds} seeds: {found['ratio']:.2f}")
    return path
