"""What a study's record says of its rows, for the programs of this folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study
from ablations.running.record.study_paths import Places


def study_arguments(description: str) -> argparse.ArgumentParser:
    """Make a parser for a study, what is changed of it, and where its record is."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("study")
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    return parser


def study_of(asked: argparse.Namespace) -> Design:
    """Unfold the study that was asked for."""
    return design(load_study(asked.study, overrides=asked.overrides, seeds=asked.seeds))


def command_of(program: str, asked: argparse.Namespace) -> str:
    """Return what a person types to have the same again."""
    changed = "".join(f" --set {override}" for override in asked.overrides)
    return f"python bench/{program} {asked.study}{changed} --seeds {asked.seeds}"


def errors_of(study: Design, results: Path) -> dict[str, dict[int, float]]:
    """Return each row's top-1 errors in per cent, by seed; rows without any are left out."""
    finished = Places(study.study.name, results, results).open_record().trials.finished
    found: dict[str, dict[int, float]] = {}
    for cell in study.cells:
        for seed in study.seeds:
            line = finished.get(cell.trial(seed).key)
            if line is not None and line.result is not None:
                found.setdefault(cell.label, {})[seed] = line.result.top1_error
    return found
