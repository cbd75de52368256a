"""`ablate bench`: how fast training is, beside what one would use instead."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ablations.commands import options


@click.command("bench")
@click.argument("contenders", nargs=-1)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Turns of each.")
@click.option("--steps", type=click.IntRange(min=2), default=20, show_default=True, help="Timed in a turn.")
@click.option("--warmup", type=click.IntRange(min=1), default=5, show_default=True, help="Steps before.")
@click.option("--batch", type=click.IntRange(min=2), default=128, show_default=True, help="Images in a step.")
@click.option("--cores", type=click.IntRange(min=1), help="That each may use; all if not given.")
@options.results_dir
@options.data_dir
def command(
    contenders: tuple[str, ...],
    rounds: int,
    steps: int,
    warmup: int,
    batch: int,
    cores: int | None,
    results_dir: Path,
    data_dir: Path,
) -> None:
    """Time our training of SE-ResNet-20 against CONTENDERS, in turns: plain PyTorch, Lightning and timm.

    Takes CIFAR-10 where it is prepared, random images otherwise; what is not installed is left out. Trust the
    ratios, which compare the same rounds. Writes results/bench/.
    """
    from ablations.analyse.bench_table import bench_table
    from ablations.analyse.render import to_terminal
    from ablations.commands.console import make_console
    from ablations.run.bench import Course, chosen, describe_bench, run_bench, write_bench
    from ablations.run.environment import available_cores

    prepared = data_dir / "cifar10.safetensors"
    data = prepared if prepared.is_file() else None
    entered, load = chosen(contenders), os.getloadavg()[0]
    console = make_console()
    course = Course(
        rounds=rounds, steps=steps, warmup=warmup, batch=batch, cores=cores or available_cores(), data=data
    )
    timings = run_bench(entered, course, say=console.print)
    content = describe_bench(timings, course, load_before=load)
    path = write_bench(content, results_dir)
    table = bench_table(content)
    shown = to_terminal(table)
    shown.title, shown.title_justify = table.title, "left"
    console.print(shown)
    console.print(f"written     {path}", soft_wrap=True)
