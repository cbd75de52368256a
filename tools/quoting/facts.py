"""What can be said of a study or a bench as a whole, by name: how many trials, hours, commits, which hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Number, TableCell, Text
from ablations.analysis.tables.forecast import covered_seconds
from ablations.planning.networks.study import NetworkStudy
from ablations.running.record.trial_record import TrialRecord
from bench.table import TIMINGS, rounds_of

_HOUR = 3600
_HARDWARE = ("processor", "cores", "device", "precision", "torch")
Facts = Mapping[str, TableCell]


def study_facts(results: Results) -> dict[str, TableCell]:
    """Return the facts of a study; those of its hardware and hours count finished trials alone.

    `trials`, `planned` and `failed` count trials, `rows` the study's rows, `seeds` the seeds of a row at most. `hours`
    is the time in which at least one trial ran, `trial hours` is training and test summed over trials, and `core hours`
    is that times the threads of each. Trials that other studies trained are counted, and their hours not.
    """
    records = list(results.finished.values())
    own = [record for record in records if record.shared_from is None]
    study = results.design.study
    return {
        "trials": Number(len(records), 0),
        "planned": Number(results.asked_trials, 0),
        "failed": Number(len(results.failed), 0),
        "taken from other studies": Number(len(records) - len(own), 0),
        "rows": Number(len(results.design.rows), 0),
        "seeds": Number(len(results.design.seeds), 0),
        "margin": Text(f"{study.margin:g}"),
        "hours": Number(covered_seconds(own) / _HOUR if own else None, 2),
        "trial hours": Number(sum(_seconds(r) for r in own) / _HOUR, 2),
        "core hours": Number(sum(_seconds(r) * r.environment.get("threads", 1) for r in own) / _HOUR, 2),
        "commits": _listed(record.environment.get("commit") for record in records),
        **{name: _listed(record.environment.get(name) for record in records) for name in _HARDWARE},
        "baseline": Text(results.design.baseline.label),
        **(_network_facts(study) if isinstance(study, NetworkStudy) else {}),
        "first day": Text(min((record.started[:10] for record in records), default=None)),
        "last day": Text(max((record.finished[:10] for record in records), default=None)),
    }


def _network_facts(study: NetworkStudy) -> dict[str, TableCell]:
    epochs = study.recipe.epochs
    return {
        "backbone": Text(study.baseline.backbone),
        "data": Text(str(study.baseline.data)),
        "epochs": Text(None if epochs is None else f"{epochs:g}"),
    }


def bench_facts(content: Mapping[str, Any]) -> dict[str, TableCell]:
    """Return the facts of a bench: whatever was recorded beside the timings, and the number of rounds, if it has any.

    A value that is itself of several is named by both, as in `median_seconds ours`.
    """
    every = dict(content)
    for name, several in content.items():
        if isinstance(several, Mapping):
            every |= {f"{name} {part}": value for part, value in several.items()}
    facts = {
        name: _cell(value) for name, value in every.items() if isinstance(value, str | int | float | None)
    }
    return facts | ({"rounds": Number(rounds_of(content), 0)} if TIMINGS in content else {})


def _cell(value: object) -> TableCell:
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, float):
        return Number(value)
    return Number(value, 0) if isinstance(value, int) else Text(None if value is None else str(value))


def _seconds(record: TrialRecord) -> float:
    return 0.0 if record.result is None else (record.result.train_seconds or 0.0) + record.result.test_seconds


def _listed(values: Any) -> Text:
    return Text(", ".join(sorted({str(value) for value in values if value is not None})) or None)
