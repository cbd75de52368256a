"""A search with two objectives against random search with the same budget, several times.

Each search is a real `ablate run` of the shipped study `block-search` in a folder of its own. What is compared is the
hypervolume of its front: the share of the area between no error and guessing, and between the cheapest and the most
expensive network of all searches, that its front dominates.

    python -m bench.studies.search_against_random --trials 24 --repetitions 5 --out results/bench-search
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from ablations.analysis.results.precision import design_of
from ablations.analysis.results.selection import hypervolume, select
from ablations.analysis.stats.paired import paired_difference
from ablations.analysis.tables.cells import Difference, Number, Text
from ablations.planning.study_file import load_study
from ablations.running.record.study_paths import StudyPaths
from bench.pages import markdown_table, write_page
from bench.programs import program_parser, run_program
from bench.studies.recorded import add_overrides, command_of

SAMPLERS = ("nsga2", "tpe", "random")
GUESSING = 90.0  # per cent error, of ten classes


def main() -> None:
    """Run the searches, compare their fronts and write the figures."""
    parser = program_parser(__doc__.splitlines()[0], trials=24, repetitions=5)
    parser.add_argument("--samplers", nargs="+", default=list(SAMPLERS), choices=SAMPLERS)
    add_overrides(parser)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("results/bench-search"), help="folder")
    asked = parser.parse_args()
    fronts: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in asked.samplers}
    with TemporaryDirectory() as folder:
        for repetition in range(asked.repetitions):
            for sampler in asked.samplers:
                fronts[sampler].append(_search(Path(folder), sampler, repetition, asked))
    costs = [cost for several in fronts.values() for points in several for cost, _ in points]
    least, span = min(costs), max(costs) - min(costs)
    found = {
        name: [
            hypervolume([(c - least, e) for c, e in points], (span, GUESSING)) / (span * GUESSING)
            for points in several
        ]
        for name, several in fronts.items()
    }
    content = {name: getattr(asked, name) for name in ("trials", "repetitions", "overrides")}
    text, command = page(found), command_of("search_against_random", asked, "trials", "repetitions")
    write_page(asked.out, {**content, "hypervolume": found, "fronts": fronts}, text, command)


def page(found: dict[str, list[float]]) -> str:
    """Return the table of hypervolumes, with each sampler's difference to random search."""
    rows = [
        (
            Text(name),
            *(Number(value, 4) for value in (*values, mean(values))),
            Text("-") if name == "random" else _difference(values, found.get("random", [])),
        )
        for name, values in found.items()
    ]
    repetitions = len(next(iter(found.values())))
    heads = ["sampler", *(f"repetition {number}" for number in range(repetitions)), "mean"]
    return markdown_table([*heads, "difference to random search"], rows) + (
        "\n\nHypervolume: the share of the area between no error and guessing, and between the cheapest and the most"
        " expensive network of all searches, that a search's front dominates. Differences are paired by repetition,"
        " with their 95 % t-interval."
    )


def _difference(values: list[float], others: list[float]) -> Difference:
    found = paired_difference(values if others else [], others)
    return Difference(found.mean, found.lo, found.hi, decimals=4)


def _search(
    folder: Path, sampler: str, repetition: int, asked: argparse.Namespace
) -> list[tuple[float, float]]:
    results = folder / f"{sampler}-{repetition}"
    overrides = [
        f"search.trials={asked.trials}", f"search.sampler={sampler}", f"search.repetition={repetition}", "confirm=2",
        "search.winners=1", "include_plain=false", *asked.overrides,
    ]  # fmt: skip
    words = ["run", "block-search", "--no-tracking", "--data-dir", asked.data_dir, "--results-dir", results]
    words += ["--reports-dir", results / "reports", *(w for text in overrides for w in ("--set", text))]
    code = "from ablations.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    record = StudyPaths("block-search", results, results).open_record()
    unfolded = design_of(load_study("block-search", overrides=overrides), record)
    [choice] = select(unfolded, record).choices
    names = [objective.name for objective in choice.arm.objectives]
    errors, costs = (names.index(name) for name in ("validation_error", "parameters"))
    return [(candidate.values[costs], candidate.values[errors]) for candidate in choice.candidates]


if __name__ == "__main__":
    run_program(main)
