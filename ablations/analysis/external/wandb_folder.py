"""Runs of W&B as they lie on a disk: `wandb/offline-run-*` and `wandb/run-*`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ablations.analysis.external.asked import Asked, compose
from ablations.analysis.external.folders import content_of_file, files_below, has_below, refuse_no_folder
from ablations.analysis.external.json_tree import MOST_BYTES, flat, metrics_of, read_json, settings_of
from ablations.analysis.external.patterns import with_names_of_runs
from ablations.analysis.external.runs import Points, Recorded, RecordedRun, as_number
from ablations.analysis.external.source import Source
from ablations.analysis.external.wandb_log import RunLog, read_log
from ablations.planning.yaml_text import read_yaml
from senet_core.errors import UserError, one_line

_SUMMARY = "wandb-summary.json"
_CONFIG = "config.yaml"
_OWN = ("_", "wandb_version")
"""How W&B's own names begin."""


def _is_run(name: str) -> bool:
    return name.startswith(("offline-run-", "run-"))


class WandbFolder(Source):
    """A folder of W&B: each run's log (run-ID.wandb), or its summary and configuration in `files/`."""

    name = "wandb"
    accepts = "wandb:FOLDER: what W&B writes, offline too: wandb/offline-run-* and wandb/run-*"
    takes = frozenset({"pattern"})

    def recognises(self, place: str) -> bool:
        """Return whether there is a log or a summary of W&B below the folder."""
        return has_below(Path(place), lambda name: name == _SUMMARY or name.endswith(".wandb"))

    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the runs of a folder; those that did not end, or ended with another status than 0, have no result."""
        root = Path(place)
        refuse_no_folder(root)
        found = files_below(root, lambda name: name == _SUMMARY or name.endswith(".wandb"))
        folders: dict[Path, Path] = {}
        for file in found:
            folder = file.parent.parent if file.name == _SUMMARY else file.parent
            if _is_run(folder.name) and (folder not in folders or file.suffix == ".wandb"):
                folders[folder] = file
        if not folders:
            raise UserError(
                f"{place!r} has no runs of W&B below it (offline-run-*/run-*.wandb, or files/{_SUMMARY})"
            )
        runs = [
            _of_log(folder, file) if file.suffix == ".wandb" else _of_summary(folder)
            for folder, file in folders.items()
        ]
        steps = any(file.suffix == ".wandb" for file in folders.values())
        if asked.at != "last" and any(file.suffix != ".wandb" for file in folders.values()):
            steps = False
        return with_names_of_runs(Recorded(f"W&B's folder {place!r}", runs, has_steps=steps), asked)


def _of_log(folder: Path, file: Path) -> RecordedRun:
    log = read_log(file)
    where = repr(str(file))
    metrics: dict[str, Points] = {
        compose(name): points for name, values in log.history.items() if (points := _points(values))
    }
    last = metrics_of(flat(_without_own(log.summary), where))
    metrics = {**last, **metrics}
    for name, points in last.items():  # what the script has put into the summary counts as the last value
        if name in metrics and points and points[-1][1] != metrics[name][-1][1]:
            metrics[name] = (*metrics[name], (metrics[name][-1][0], points[-1][1]))
    settings = settings_of(flat(_without_own(log.settings), where))
    return RecordedRun(repr(_run_name(folder, log)), {**settings, **log.named}, metrics, _why_unfinished(log))


def _points(values: list[tuple[int, Any]]) -> Points:
    numbers = {step: number for step, value in values if (number := as_number(value)) is not None}
    return tuple(sorted(numbers.items()))


def _why_unfinished(log: RunLog) -> str:
    if log.exit_code is None:
        return "not finished"
    return "" if log.exit_code == 0 else "failed"


def _run_name(folder: Path, log: RunLog) -> str:
    return log.named.get("run_name") or folder.name.rpartition("-")[2]


def _of_summary(folder: Path) -> RecordedRun:
    values = read_json(folder / "files" / _SUMMARY)
    config = folder / "files" / _CONFIG
    settings = flat(_without_own(_config(config)), repr(str(config))) if config.exists() else {}
    name = folder.name.rpartition("-")[2]
    return RecordedRun(
        repr(name), {**settings_of(settings), "run_name": name}, metrics_of(_without_own(values))
    )


def _config(path: Path) -> dict[str, Any]:
    """Return the values of a config.yaml, in which each has a description beside it."""
    try:
        found = read_yaml(content_of_file(path, MOST_BYTES).decode())
    except ValueError as error:
        raise UserError(f"{str(path)!r} cannot be read: {one_line(error)}") from error
    if not isinstance(found, dict):
        raise UserError(f"{str(path)!r} holds no mapping")
    return {
        str(name): value["value"] if isinstance(value, dict) and "value" in value else value
        for name, value in found.items()
    }


def _without_own(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not str(name).startswith(_OWN)}
