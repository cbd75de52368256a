"""Checks of the prepared data sets: that they are undamaged, and have as many images as the original."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import DataError
from ablations.planning.commands import prepare_command
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS
from ablations.running.doctor.finding import Finding, mended, ok, problem, warning
from ablations.running.machine.durable import is_abandoned

if TYPE_CHECKING:
    from ablations.running.data import Prepared

_LEFT_BY_A_PREPARATION = (".*.partial", ".download-*", ".compare-*")


def check_data(data_dir: Path, wanted: Sequence[DataSpec], *, fix: bool) -> Iterator[Finding]:
    """Yield a finding for each prepared file, which is read completely to compare its digest.

    Args:
        data_dir: folder of the prepared files; it need not exist.
        wanted: the only data sets to check; none for all that are there.
        fix: remove what preparations left that were killed.
    """
    from ablations.running.data import prepared_path

    paths: dict[Path, DataSpec | None] = {prepared_path(data, data_dir): data for data in wanted}
    if not wanted:
        paths = dict.fromkeys(sorted(data_dir.glob("*.safetensors")))
    if not paths:
        yield ok(f"no data set is prepared in {data_dir}; digits is made when it is first used")
    for path, data in paths.items():
        yield from _check_file(path, data)
    for pattern in _LEFT_BY_A_PREPARATION:
        for path in sorted(data_dir.glob(pattern)):
            if all(is_abandoned(part) for part in (path, *path.rglob("*"))):
                found = warning(f"{path} was left by a preparation that was killed", "`fix=True` removes it")
                yield mended(found, partial(_remove, path), fix=fix)
            else:
                yield warning(
                    f"{path} is of a preparation that is under way, or was interrupted less than an hour ago",
                    "if no `ablate data prepare` is running, remove it",
                )


def digests_of(data_dir: Path, wanted: Sequence[DataSpec]) -> dict[DataSpec, str]:
    """Return the digests of the prepared files that can be opened, by their data sets.

    Image folders are among them only where they are wanted: the file's name does not tell its folder.
    """
    from ablations.running.data import prepared_digests

    names = [name for name, known in DATASETS.items() if not known.asks]
    return prepared_digests(wanted or [DataSpec(name=name) for name in names], data_dir)


def _check_file(path: Path, wanted: DataSpec | None) -> Iterator[Finding]:
    from ablations.running.data import load, verify

    name = path.stem if wanted is None else wanted.name
    if not os.path.exists(path):
        yield _absent(path, name, wanted)
        return
    try:
        prepared = load(path)
        verify(prepared)
    except DataError as error:
        yield problem(str(error), f"remove it, then: {_prepare(name, path.parent, wanted)}")
        return
    found = len(prepared.train_labels), len(prepared.test_labels), prepared.num_classes
    shown = f"{path}: {found[0]:,} training and {found[1]:,} test images of {found[2]} classes"
    known = DATASETS.get(prepared.name)
    if known is None or not _is_named_for(path, prepared.name, of_many=bool(known.asks)):
        yield problem(
            f"{path} holds {prepared.name!r}", f"remove it, then: {_prepare(name, path.parent, wanted)}"
        )
        return
    should = known.train_images, known.test_images, known.classes
    if any(number is not None and number != count for number, count in zip(should, found, strict=True)):
        yield warning(
            f"{shown}; the original has {known.train_images:,}, {known.test_images:,} and {known.classes}",
            "results are not comparable with published ones; prepare the original if that is not meant",
        )
    else:
        yield ok(f"{shown}, digest {prepared.digest[:12]} verified")
    yield from _check_source(prepared)


def _check_source(prepared: Prepared) -> Iterator[Finding]:
    """Compare what a file was prepared from, where that was a folder or archive of the user's."""
    from ablations.running.data.keeping_up import refresh_command
    from ablations.running.data.made_from import SourceState, compare_source

    noted, known = prepared.made_from, DATASETS[prepared.name]
    if noted is None:
        if known.asks:
            yield ok(
                f"{prepared.path} was prepared before its folder was noted, and cannot be compared with it"
            )
        return
    try:
        state = compare_source(noted)
    except DataError as error:
        yield warning(
            f"{prepared.path} cannot be compared with its source: {error}",
            "give yourself the right to read it",
        )
        return
    said, again = f"{prepared.path}: its source {noted.path} {state.value}", refresh_command(prepared)
    if state is SourceState.SAME:
        yield ok(
            f"{prepared.path} verified against its source {noted.path}: names, sizes and times are the same"
        )
    elif state is SourceState.GONE:
        yield ok(said)
    elif state is SourceState.TOUCHED:
        yield warning(f"{said}; `ablate run` compares the images themselves", again)
    else:
        yield problem(f"{said}: they differ from what is prepared, and `ablate run` refuses them", again)


def _is_named_for(path: Path, name: str, *, of_many: bool) -> bool:
    return path.stem == name or (of_many and path.stem.startswith(f"{name}-"))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _absent(path: Path, name: str, wanted: DataSpec | None) -> Finding:
    if name == "digits":
        return ok("digits is made when it is first used")
    return warning(f"data set {name!r} is not prepared in {path.parent}", _prepare(name, path.parent, wanted))


def _prepare(name: str, data_dir: Path, wanted: DataSpec | None) -> str:
    if name in DATASETS and not DATASETS[name].asks:
        return prepare_command(name, data_dir)
    if wanted is not None:
        return prepare_command(wanted.name, data_dir, path=wanted.images, size=wanted.size)
    return "prepare its folder of images with `ablate data prepare` again"
