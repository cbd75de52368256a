"""What a study's record says of its rows, for the programs of this folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ablations.analysis.results.precision import design_of
from ablations.planning.design import Design
from ablations.planning.study_file import load_study
from ablations.running.record.study_paths import StudyPaths
from bench.programs import program_parser


def study_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser for a study, what is changed of it, and where its record is."""
    parser = program_parser(description, seeds=6)
    parser.add_argument("study")
    add_overrides(parser)
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    return parser


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add the option for what is changed of a study."""
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="change a field")


def study_of(asked: argparse.Namespace) -> Design:
    """Unfold the study that was asked for, in the precision of its record."""
    study = load_study(asked.study, overrides=asked.overrides, seeds=asked.seeds)
    return design_of(study, StudyPaths(study.name, asked.results_dir, asked.results_dir).open_record())


def command_of(program: str, asked: argparse.Namespace, *names: str) -> str:
    """Return what a person types to have the same again: the study if there is one, its overrides, and options.

    Args:
        program: its module.
        asked: its arguments.
        names: the options of the command that have a value.
    """
    study = [asked.study] if "study" in asked else []
    changes = (f"--set {override}" for override in asked.overrides)
    options = (f"--{name} {value}" for name in names if (value := getattr(asked, name)) is not None)
    return " ".join([f"studies.{program}", *study, *changes, *options])


def errors_of(study: Design, results: Path) -> dict[str, dict[int, float]]:
    """Return each row's top-1 errors in per cent, by seed; rows without any are left out."""
    finished = StudyPaths(study.study.name, results, results).open_record().trials.finished
    found: dict[str, dict[int, float]] = {}
    for row in study.rows:
        for seed in study.seeds:
            line = finished.get(row.trial(seed).key)
            if line is not None and line.result is not None:
                found.setdefault(row.label, {})[seed] = line.result.value("top1_error") or 0.0
    return found
