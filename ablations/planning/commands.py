"""Command lines that a person types to do something again."""

from __future__ import annotations

import shlex
from pathlib import Path

from ablations.planning.design import Design
from ablations.planning.row import Row


def row_command(design: Design, row: Row) -> str:
    """Return the command that trains one row of a study, or all of them, where the study decides what is trained.

    Args:
        design: the study, with what the command line changed in it.
        row: the row.
    """
    whole = f"ablate run {shlex.join(design.study.typed or (design.study.name,))}"
    return whole if design.kind.decides else f"{whole} --only {shlex.quote(row.label)}"


def sync_command(design: Design, results_dir: Path, reports_dir: Path, tracking_uri: str | None) -> str:
    """Return the command that writes what MLflow lacks of a study.

    Args:
        design: the study, with what the command line changed in it.
        results_dir: where its record is.
        reports_dir: where its report is.
        tracking_uri: the store; None where the command finds it by itself.
    """
    words = _asked(design, results_dir, reports_dir)
    words += ["--tracking-uri", tracking_uri] if tracking_uri else []
    return f"ablate sync {shlex.join(words)}"


def report_command(design: Design, results_dir: Path, reports_dir: Path) -> str:
    """Return the command that writes a study's report from its record; the arguments are those of `sync_command`."""
    return f"ablate report {shlex.join(_asked(design, results_dir, reports_dir))}"


def _asked(design: Design, results_dir: Path, reports_dir: Path) -> list[str]:
    """Return the words that name a study and its folders, as far as they are not the usual ones."""
    options = {"--results-dir": (results_dir, "results"), "--reports-dir": (reports_dir, "reports")}
    words = [*(design.study.typed or (design.study.name,))]
    for option, (folder, usual) in options.items():
        words += [option, str(folder)] if folder != Path(usual) else []
    return words
