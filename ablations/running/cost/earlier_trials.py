"""Speeds from the records of earlier trials on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from ablations.errors import RecordError
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost.speed import ImageCounts, Speed, full_size_images, speed_key, spread
from ablations.running.executors.gpu_sharing import HOW_SHARED, TRIALS_PER_GPU
from ablations.running.machine.kernels import Kernels, winograd_serves
from ablations.running.record.trial_file import FILE_NAME, TrialFile
from ablations.running.record.trial_record import TrialRecord, TrialResult

SAME_MACHINE = (
    "processor",
    "cores",
    "device",
    "threads",
    "processes",
    "fused",
    "winograd",
    TRIALS_PER_GPU,
    HOW_SHARED,
)
"""Fields of the environment that an earlier trial must share for its time to count here."""

_NEWEST = 20  # earlier trials of one kind that are used


def earlier_speeds(
    trials: Iterable[NetworkTrial], results_dir: Path, environment: Mapping[str, Any], whole: ImageCounts
) -> dict[str, Speed]:
    """Return how fast trials go on this machine, from earlier records.

    Trials of this very code are preferred to those of other code, as code changes speed; of many the newest are taken.

    Args:
        trials: of the kinds that are asked for.
        results_dir: where the studies' records are; those that cannot be read are passed over.
        environment: of this machine.
        whole: images of the whole data set.

    Returns:
        Speeds by speed key, of the kinds that earlier trials tell of.
    """
    wanted = {speed_key(trial.to_json()) for trial in trials}
    found: dict[str, dict[str, TrialRecord]] = defaultdict(dict)
    for path in sorted(results_dir.glob(f"*/{FILE_NAME}")):
        with suppress(RecordError):
            for line in TrialFile.load(path).finished.values():
                if (key := _key_here(line, environment)) in wanted:
                    found[key][line.key] = line
    return {key: _speed(list(lines.values()), environment, whole) for key, lines in found.items()}


def _key_here(line: TrialRecord, environment: Mapping[str, Any]) -> str:
    """Return an earlier trial's speed key; empty where its time does not count here."""
    before, here = (
        {**said, **Kernels.from_record(said).to_json()} for said in (line.environment, environment)
    )
    here["winograd"] = here["winograd"] and winograd_serves(before.get("precision", "fp32"))
    if any(before.get(name) != here.get(name) for name in SAME_MACHINE):
        return ""
    try:
        Recipe.model_validate(line.trial["recipe"])
        return speed_key(line.trial)
    except (KeyError, AttributeError, TypeError, ValueError):
        return ""  # of another version


def _speed(lines: Sequence[TrialRecord], environment: Mapping[str, Any], whole: ImageCounts) -> Speed:
    here = [line for line in lines if line.environment.get("source") == environment.get("source")]
    trained, tested, rests = [], [], []
    for line in sorted(here or lines, key=lambda line: line.started)[-_NEWEST:]:
        assert isinstance(line.result, TrialResult), "finished trials of networks have all of it"
        data, result = line.trial["data"], line.result
        images = whole.subset(data.get("train_images"), data.get("test_images"))
        recipe = Recipe.model_validate(line.trial["recipe"])
        trained.append(result.train_seconds / full_size_images(recipe, images))
        tested.append(result.test_seconds / images.test)
        passed = datetime.fromisoformat(line.finished) - datetime.fromisoformat(line.started)
        rests.append(passed.total_seconds() - result.train_seconds - result.test_seconds)
    return Speed(spread(trained), median(tested), max(0.0, median(rests)), "earlier trials")
