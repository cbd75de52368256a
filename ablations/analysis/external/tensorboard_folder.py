"""Scalars in TensorBoard's event files: variant and seed are read from the names of folders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from ablations.analysis.external.asked import Asked, compose
from ablations.analysis.external.folders import files_below, has_below, refuse_no_folder
from ablations.analysis.external.patterns import NamePattern, left_out, no_match, pattern_for
from ablations.analysis.external.runs import Points, Recorded, RecordedRun, listed
from ablations.analysis.external.source import Source
from ablations.errors import ToolMissing
from senet_core.bounded import GIB, open_plain
from senet_core.errors import UserError, one_line

MOST_BYTES = GIB
"""Limit of one event file."""

_SCALARS = "scalars"


def _is_event_file(name: str) -> bool:
    return ".tfevents." in name and not name.endswith(".profile-empty")


class TensorBoardFolder(Source):
    """A folder with a folder of event files for each run; deeper ones are parts of it: `train/loss`."""

    name = "tensorboard"
    accepts = "tensorboard:FOLDER: event files of TensorBoard, in a folder for each run; `pattern` says how it is named"
    takes = frozenset({"pattern"})

    def recognises(self, place: str) -> bool:
        """Return whether there is an event file below the folder."""
        return has_below(Path(place), _is_event_file)

    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the runs of a folder, with all values of their scalars."""
        root = Path(place)
        refuse_no_folder(root)
        files = files_below(root, _is_event_file)
        if not files:
            raise UserError(f"{place!r} has no event files of TensorBoard below it (*.tfevents.*)")
        where = repr(place)
        folders = {compose(file.parent.relative_to(root).as_posix()): file.parent for file in files}
        if list(folders) == ["."]:
            raise UserError(f"{where} is the folder of one run; name the folder that has all runs in it")
        pattern, notes = pattern_for(list(folders), asked, "folders")
        if pattern is None:
            raise UserError(
                f"{where}: `pattern=TEXT` says how folders are named, such as {{variant}}/seed{{seed}};"
                f" found: {listed(folders)}"
            )
        runs: dict[str, tuple[dict[str, str], list[tuple[str, Path]]]] = {}
        others = []
        for name, folder in folders.items():
            own, inner = _split(name, pattern)
            found = pattern.match(own)
            if found is None:
                others.append(name)
            else:
                runs.setdefault(own, (found, []))[1].append((inner, folder))
        if not runs:
            raise no_match(where, pattern, others)
        made = [RecordedRun(repr(own), settings, _scalars(parts)) for own, (settings, parts) in runs.items()]
        return Recorded(
            where,
            made,
            (*notes, *left_out(pattern, others, "folder")),
            variant=_variant(pattern, asked),
            has_steps=True,
        )


def _split(name: str, pattern: NamePattern) -> tuple[str, str]:
    """Return the part of a path that names the run, and the rest of it."""
    parts = name.split("/")
    return "/".join(parts[: pattern.depth]), "/".join(parts[pattern.depth :])


def _variant(pattern: NamePattern, asked: Asked) -> tuple[str, ...]:
    """Return the parts of a pattern that are not the seed."""
    return tuple(part for part in pattern.parts if part not in (asked.seed or "seed", asked.task or "task"))


def _scalars(folders: list[tuple[str, Path]]) -> dict[str, Points]:
    """Return all scalars of a run, by tag; those of a folder inside the run's by `folder/tag`."""
    made: dict[str, Points] = {}
    for inner, folder in folders:
        by_tag: dict[str, dict[int, list[float]]] = {}
        for file in files_below(folder, _is_event_file):
            if file.parent != folder:
                continue
            for tag, step, value in _values(file):  # of a run that was continued, the later file's are last
                by_tag.setdefault(f"{inner}/{tag}" if inner else tag, {}).setdefault(step, []).append(value)
        for tag, found in by_tag.items():
            made[compose(tag)] = tuple((step, value) for step in sorted(found) for value in found[step])
    return made


def _values(file: Path) -> Iterator[tuple[str, int, float]]:
    """Yield tag, step and value of each scalar of an event file; one that was cut off ends where it was.

    Raises:
        ToolMissing: TensorBoard is not installed.
        UserError: the file cannot be read.
    """
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util import tensor_util
    except ImportError as error:
        raise ToolMissing(
            'event files are read with the package tensorboard: pip install "senet-ablations[tensorboard]"'
        ) from error
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    _refuse_unreadable(file)
    scalars: set[str] = set()
    try:
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == _SCALARS:
                    scalars.add(value.tag)
                # a few bytes may state the shape of a tensor of any size
                alone = all(dim.size == 1 for dim in value.tensor.tensor_shape.dim)
                if value.tag in scalars and value.HasField("tensor") and alone:
                    yield (
                        value.tag,
                        int(event.step),
                        float(tensor_util.make_ndarray(value.tensor).reshape(-1)[0]),
                    )
    except Exception as error:  # whatever the library makes of a stranger's bytes
        raise UserError(f"{str(file)!r} is damaged: {one_line(error)}") from error


def _refuse_unreadable(file: Path) -> None:
    try:
        with open_plain(file) as opened:
            size = opened.seek(0, 2)
    except OSError as error:
        raise UserError(f"cannot read {str(file)!r}: {error.strerror or error}") from error
    if size > MOST_BYTES:
        raise UserError(
            f"cannot read {str(file)!r}: it has {size:,} bytes, and at most {MOST_BYTES:,} are read"
        )
