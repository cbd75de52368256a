"""Runs the simulations and keeps their tables in results/simulation/, from where docs/statistics.md quotes them."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from ablations.analysis.stats.tasks.aggregates import Resampler
from ablations.running.machine.durable import not_written
from tools.simulation.forecasts import SD_OF_DIFFERENCES, forecast_table
from tools.simulation.races import race_design, savings, savings_table
from tools.simulation.verdicts import (
    REPETITIONS,
    SD,
    SEED,
    SEEDS,
    fixed_design,
    markdown,
    markdown_table,
    settings,
    simulate,
)

_TASKS = (1, 4)
_AGGREGATE_REPETITIONS = 2000
_RESAMPLES = 500
_FORECAST_STUDIES = 100


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, or write them into a file."""
    parser = argparse.ArgumentParser(description="Simulate how often verdicts are right.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the tables into this file")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(arguments)
    text = tables(given.repetitions, given.seed)
    if given.write is None:
        print(text)
        return
    try:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(repr(str(given.write)), error, chosen=True) from error


def tables(repetitions: int, seed: int) -> str:
    """Run every simulation and return their tables in Markdown."""
    command = f"python -m tools.simulation --repetitions {repetitions} --seed {seed}"
    designs = (("fixed", fixed_design), ("race", race_design))
    findings = [
        simulate(setting, procedure=procedure, design=name, repetitions=repetitions, seed=seed)
        for setting in settings()
        for name, procedure in designs
    ]
    error = 100 * math.sqrt(0.05 * 0.95 / repetitions)
    said = [
        f"Made by `{command}` with numpy {np.__version__}: {repetitions:,} studies of 12 "
        f"variants for each figure, so that 5 % is known to ±{1.96 * error:.1f} points.",
        markdown(findings),
        "A race looks after every seed from the fourth to the n-th. What it saves, on 2,000 studies of 12 variants "
        "with four real effects (0.3, -0.5, 0.7 and -1 points) and normal noise; right is the true direction of a "
        "real effect, and “equivalent” for the other eight. The fixed designs of this table are corrected by Holm's "
        "method:",
        savings_table(savings(seed)),
        f"Bootstrap intervals of the interquartile mean of paired differences ({_AGGREGATE_REPETITIONS:,} repetitions "
        f"of {_RESAMPLES} resamples, normal noise, no effect): how often the 95 % interval covers.",
        aggregate_coverage(seed),
        f"The forecast of more seeds, in {_FORECAST_STUDIES} studies of 12 comparisons each; differences have a "
        f"standard deviation of {SD_OF_DIFFERENCES:g} points over seeds. A forecast came true if the comparison had a "
        "verdict at the second analysis, after exactly so many more seeds; the rule aims at 80 %:",
        forecast_table(_FORECAST_STUDIES, seed),
    ]
    return "\n\n".join(said) + "\n"


def aggregate_coverage(seed: int) -> str:
    """Count how often the intervals of aggregates cover, and return the table."""
    generator = np.random.default_rng([seed, 2])
    resampler = Resampler(_RESAMPLES, 0, 0.95)
    rows = []
    for tasks in _TASKS:
        shares = []
        for n in SEEDS:
            drawn = generator.normal(0, SD, (_AGGREGATE_REPETITIONS, tasks, n))
            found = [resampler.iqm(list(study)) for study in drawn]
            covered = [f.lo is not None and f.hi is not None and f.lo <= 0 <= f.hi for f in found]
            shares.append(f"{100 * np.mean(covered):.1f} %")
        rows.append([str(tasks), *shares])
    return markdown_table(["tasks", *(f"n = {n}" for n in SEEDS)], rows)
