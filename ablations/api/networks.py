"""Trained networks of studies that keep weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ablations.analysis.external.runs import listed
from ablations.api.results import load_results
from ablations.api.studies import AnyStudy
from ablations.running.record.trial_record import TrialRecord
from senet_core.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from ablations.analysis.results.results import Results

_SHOWN = 8  # seeds in a message, the rest is counted


def load_network(
    study: AnyStudy,
    row: str,
    seed: int | None = None,
    *,
    results_dir: str | Path = "results",
) -> nn.Module:
    """Return the trained network of a finished trial, as it was tested: in evaluation mode, in float32, on the CPU.

    Args:
        study: see `load_results`; it said `keep_weights: true` when the trial was trained.
        row: the row's label, as tables have it; or the key of a trial or its beginning, without a seed.
        seed: of the row's trial.
        results_dir: holds a folder for each study.

    Raises:
        StudyError: the study is wrong.
        RecordError: the trial's weights are not kept, or its file is damaged.
        UserError: there is no such row, finished trial or key; or a plug-in's code is not that which was trained.
    """
    results = load_results(study, results_dir=results_dir)
    line = _of_key(results, row) if seed is None else _of_row(results, row, seed)
    from ablations.running.training.building import kept_network

    return kept_network(results.record.folder, line)


def _of_row(results: Results, label: str, seed: int) -> TrialRecord:
    [row] = results.design.only([label]).rows
    key = results.key_of(row, seed)
    if key in results.measured:
        return results.measured[key]
    seeds = [known for known in results.design.seeds if results.key_of(row, known) in results.measured]
    has = f"it has {listed(seeds, _SHOWN)}" if seeds else "it has none"
    raise UserError(
        f"row {row.label!r} of study {results.asked.study.name!r} has no finished trial with seed {seed!r}; {has}"
    )


def _of_key(results: Results, given: str) -> TrialRecord:
    found = {key: line for key, line in results.measured.items() if given and key.startswith(given)}
    if len(found) == 1:
        return next(iter(found.values()))
    name = results.asked.study.name
    if found:
        raise UserError(f"{given!r} names {len(found)} trials of study {name!r}: {', '.join([*found][:4])}")
    raise UserError(
        f"no finished trial of study {name!r} has the key {given!r}; give a row and a seed, or a key of its record"
        f" {results.record.folder}"
    )
