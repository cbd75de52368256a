"""The sources of recorded runs, by name; a place that is typed without one is recognised by what is there."""

from __future__ import annotations

import re
from pathlib import Path

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.csv_file import CsvFile
from ablations.analysis.external.json_folder import JsonFolder
from ablations.analysis.external.mlflow_runs import MlflowExperiment
from ablations.analysis.external.optuna_trials import OptunaStudy
from ablations.analysis.external.runs import Recorded
from ablations.analysis.external.source import Source
from ablations.analysis.external.table import TableFile, table_of
from ablations.analysis.external.tensorboard_folder import TensorBoardFolder
from ablations.analysis.external.wandb_folder import WandbFolder
from senet_core.errors import UserError, unknown

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        MlflowExperiment(),
        TensorBoardFolder(),
        WandbFolder(),
        OptunaStudy(),
        JsonFolder(),
        CsvFile(),  # any other file
    )
}

_NAMED = re.compile(r"([A-Za-z]{2,}[\w&-]*):(?!//)(.*)", re.DOTALL)


def find_source(text: str) -> tuple[Source, str]:
    """Return the source that is meant, and the place in it.

    Args:
        text: "name:PLACE", or a place that is recognised.

    Raises:
        UserError: there is no source of that name, or what is there is none's, or several's.
    """
    named = _NAMED.fullmatch(text)
    if named is not None and named[1] in SOURCES:
        return SOURCES[named[1]], named[2]
    if named is not None and not Path(text).exists():
        raise unknown("source", named[1], SOURCES)
    path = Path(text)
    found = [source for source in SOURCES.values() if source.recognises(text)]
    if not path.is_dir():
        return (found or [SOURCES["csv"]])[0], text
    if len(found) == 1:
        return found[0], text
    if not found:
        known = " · ".join(source.accepts for source in SOURCES.values())
        raise UserError(f"nothing in the folder {text!r} is known as recorded runs; accepted are {known}")
    ways = " or ".join(f"{source.name}:{text}" for source in found)
    raise UserError(f"the folder {text!r} could be read in several ways; say which: {ways}")


def read_source(text: str, asked: Asked) -> TableFile:
    """Return the runs of a source as a frame, after the checks that all sources share.

    Args:
        text: "name:PLACE", or a place that is recognised.
        asked: which of its names are the variant, the seed and the value.

    Raises:
        UserError: it cannot be read, or something is wrong with its runs, in a line.
        ToolMissing: a package that it needs is not installed.
    """
    asked = asked.composed()
    return table_of(read_recorded(text, asked), asked)


def read_recorded(text: str, asked: Asked) -> Recorded:
    """Return the runs of a source as they were recorded; see `read_source`, but for the checks of its runs."""
    source, place = find_source(text)
    for field in ("pattern", "tracking_uri"):
        if getattr(asked, field) is not None and field not in source.takes:
            others = ", ".join(one.name for one in SOURCES.values() if field in one.takes)
            raise UserError(f"`{field}` is for {others}, not for {source.name}")
    return source.read(place, asked)
