"""Files of JSON that scripts leave in a folder for each run: metrics.json, perhaps with config.json beside it."""

from __future__ import annotations

from pathlib import Path

from ablations.analysis.external.asked import Asked, compose
from ablations.analysis.external.folders import files_below, has_below, refuse_no_folder
from ablations.analysis.external.json_tree import metrics_of, read_json, settings_of
from ablations.analysis.external.patterns import left_out, no_match, pattern_for
from ablations.analysis.external.runs import Recorded, RecordedRun
from ablations.analysis.external.source import Source
from senet_core.errors import UserError

METRICS = "metrics.json"
CONFIG = "config.json"


class JsonFolder(Source):
    """A folder with a file of JSON for each run, which may hold the run's settings too."""

    name = "json"
    accepts = (
        "json:FOLDER: metrics.json of each run, with settings in it, in config.json beside it, or in its path"
    )
    takes = frozenset({"pattern"})

    def recognises(self, place: str) -> bool:
        """Return whether there is a metrics.json below the folder."""
        return has_below(Path(place), METRICS.__eq__)

    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the runs of a folder; a pattern that ends in ".json" is that of files, else of their folders."""
        root, where = Path(place), repr(place)
        refuse_no_folder(root)
        own_names = asked.pattern is not None and asked.pattern.endswith(".json")
        wanted = (lambda name: name.endswith(".json")) if own_names else METRICS.__eq__
        files = files_below(root, wanted)
        if not files:
            raise UserError(f"{where} has no {'*.json' if own_names else METRICS} below it")
        paths = {
            compose((file if own_names else file.parent).relative_to(root).as_posix()): file for file in files
        }
        pattern, notes = pattern_for(list(paths), asked, "folders")
        runs, others = [], []
        for name, file in paths.items():
            found = {} if pattern is None else pattern.match(name)
            if found is None:
                others.append(name)
            else:
                runs.append(_run(repr(name), file, found, asked))
        if pattern is not None and not runs:
            raise no_match(where, pattern, others)
        aside = () if pattern is None else left_out(pattern, others, "file" if own_names else "folder")
        variant = (
            ()
            if pattern is None
            else tuple(
                part for part in pattern.parts if part not in (asked.seed or "seed", asked.task or "task")
            )
        )
        return Recorded(where, runs, (*notes, *aside), variant=variant, has_steps=True)


def _run(name: str, file: Path, named: dict[str, str], asked: Asked) -> RecordedRun:
    """Return the run of a file; what its folder is called counts before what it holds, and config.json before both."""
    values = read_json(file)
    config = file.with_name(CONFIG)
    beside = read_json(config) if config != file and config.exists() else {}
    metrics = metrics_of(values)
    if asked.metric in values and asked.metric not in metrics:
        raise UserError(f"{str(file)!r}: {asked.metric!r} is {values[asked.metric]!r:.60}, no number")
    settings = {**settings_of(values), **settings_of(beside)}
    for part, value in named.items():
        if settings.setdefault(part, value) != value and not _same(settings[part], value):
            raise UserError(f"{str(file)!r} says {part}={settings[part]}, and its path says {part}={value}")
    return RecordedRun(name, {**settings, **named}, metrics)


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
