"""A search with two objectives against random search with the same budget, several times.

Each search is a real `ablate run` of the shipped study `block-search` in a folder of its own. What is compared is the
hypervolume of its front: the share of the area between no error and guessing, and between the cheapest and the most
expensive network of all searches, that its front dominates.

    python bench/search_against_random.py --trials 24 --repetitions 5 --out results/bench-search
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from pages import table, write_page
from scipy import stats

from ablations.analysis.results.selection import choices_of, hypervolume
from ablations.planning.design import design
from ablations.planning.study_file import load_study
from ablations.running.record.study_paths import Places

SAMPLERS = ("nsga2", "tpe", "random")
GUESSING = 90.0  # per cent error, of ten classes


def main() -> None:
    """Run the searches, compare their fronts and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--samplers", nargs="+", default=list(SAMPLERS), choices=SAMPLERS)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("results/bench-search"), help="folder")
    asked = parser.parse_args()
    fronts: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in asked.samplers}
    every: list[tuple[float, float]] = []
    with TemporaryDirectory() as folder:
        for repetition in range(asked.repetitions):
            for sampler in asked.samplers:
                points = _search(Path(folder), sampler, repetition, asked)
                fronts[sampler].append(points)
                every += points
    least, most = min(cost for cost, _ in every), max(cost for cost, _ in every)
    area = (most - least) * GUESSING
    found = {
        name: [
            hypervolume([(c - least, e) for c, e in points], (most - least, GUESSING)) / area
            for points in several
        ]
        for name, several in fronts.items()
    }
    content: dict[str, Any] = {
        "trials": asked.trials,
        "repetitions": asked.repetitions,
        "overrides": asked.overrides,
        "hypervolume": found,
        "fronts": fronts,
    }
    text = page(found, asked.repetitions)
    print(text)
    changed = "".join(f" --set {override}" for override in asked.overrides)
    words = f"--trials {asked.trials} --repetitions {asked.repetitions}{changed}"
    write_page(asked.out, content, text, f"python bench/search_against_random.py {words}")


def page(found: dict[str, list[float]], repetitions: int) -> str:
    """Return the table of hypervolumes, with each sampler's difference to random search."""
    rows = []
    for name, values in found.items():
        compared = "-"
        if name != "random" and "random" in found and repetitions > 1:
            differences = [a - b for a, b in zip(values, found["random"], strict=True)]
            error = stats.sem(differences) or 1e-12
            low, high = stats.t.interval(0.95, repetitions - 1, mean(differences), error)
            compared = f"{mean(differences):+.4f} [{low:+.4f}, {high:+.4f}]"
        rows.append([name, *(f"{value:.4f}" for value in values), f"{mean(values):.4f}", compared])
    heads = ["sampler", *(f"repetition {number}" for number in range(repetitions)), "mean"]
    return table([*heads, "difference to random search"], rows) + (
        "\n\nHypervolume: the share of the area between no error and guessing, and between the cheapest and the most"
        " expensive network of all searches, that a search's front dominates. Differences are paired by repetition,"
        " with their 95 % t-interval."
    )


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
    unfolded = design(load_study("block-search", overrides=overrides))
    choice = choices_of(unfolded, Places("block-search", results, results).open_record().trials)[0]
    errors, costs = (choice.arm.objectives.index(name) for name in ("validation_error", "parameters"))
    return [(candidate.values[costs], candidate.values[errors]) for candidate in choice.candidates]


if __name__ == "__main__":
    main()
