"""The networks that a study has kept: their lines in its record, and their weights."""

from __future__ import annotations

import shlex
from pathlib import Path

from ablations.errors import RecordError
from ablations.experiments.pruning.trained import TrainedRow
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import has_weights


def kept_line(trained: TrainedRow, seed: int, results_dir: Path) -> TrialRecord:
    """Return the line of the trial that trained a network, whose weights are kept.

    Raises:
        RecordError: it is not finished, or its weights were not kept.
    """
    folder = results_dir / trained.study.name
    finished = StudyRecord(folder).finished
    lines = [finished[trial.key] for trial in trained.trials(seed) if trial.key in finished]
    kept = [line for line in lines if has_weights(folder, line)]
    if kept:
        return kept[0]
    if lines:
        words = ["ablate", "reproduce", trained.place, lines[0].key, "--keep-weights"]
        what = f"its weights are not there; `{shlex.join(words)}` makes them again"
    else:
        what = f"it has not been trained; `{shlex.join(['ablate', 'run', trained.place])}` does it"
    raise RecordError(
        f"the network to prune, row {trained.row.label!r} of study {trained.study.name!r} with seed {seed}, is not in"
        f" {folder}: {what}"
    )
