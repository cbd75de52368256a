"""Prepared files that keep up with the folder or archive they were made from: compared before anything is trained."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ablations.errors import DataError
from ablations.planning.commands import prepare_command
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS
from ablations.running.data.made_from import MadeFrom, SourceState, compare_source
from ablations.running.data.paths import prepared_path
from ablations.running.data.preparation import open_prepared, prepare
from ablations.running.data.prepared import Prepared, load
from ablations.running.data.writing import cannot_write
from ablations.running.machine.durable import sync_folder


def ensure_prepared(
    spec: DataSpec, data_dir: Path, say: Callable[[str], None] = lambda text: None
) -> Prepared:
    """Open a data set, after preparing it from its folder or by a download if it is not prepared yet.

    Args:
        spec: the data set.
        data_dir: folder of the prepared files.
        say: shows a line, where the folder or archive was touched.

    Raises:
        DataError: it was not prepared and cannot be, or its folder or archive holds other images now; the message says
            what the user can do.
    """
    if not prepared_path(spec, data_dir).exists():
        prepare(spec, data_dir)
    else:
        _keep_up(spec, data_dir, say)
    return open_prepared(spec, data_dir)


def refresh(
    spec: DataSpec, data_dir: Path, source: Path | None = None, *, download: bool = False
) -> tuple[Prepared, str | None]:
    """Prepare a data set again, from what it was prepared from; the old file stays until the new one is complete.

    Args:
        spec: the data set.
        data_dir: folder of the prepared files.
        source: a folder or archive to take instead.
        download: see `prepare`.

    Returns:
        The data set, and the digest that its file had; None where there was none, or a damaged one.

    Raises:
        DataError: the source is missing or damaged.
        UserError: `data_dir` cannot be written.
        DiskError: the disk is full or failing.
    """
    before = None
    try:
        held = load(prepared_path(spec, data_dir))
    except DataError:
        pass
    else:
        before = held.digest
        if source is None and held.made_from is not None and DATASETS[spec.name].own_copy:
            source = Path(held.made_from.path)
    return prepare(spec, data_dir, source, download=download), before


def refresh_command(prepared: Prepared) -> str:
    """Return the command that prepares a file again from what it was made from."""
    known, noted = DATASETS[prepared.name], prepared.made_from
    path = noted.path if noted is not None and "path" in known.asks else None
    size = prepared.image_shape[1] if "size" in known.asks else None
    return prepare_command(prepared.name, prepared.path.parent, path=path, size=size, again=True)


def source_words(prepared: Prepared) -> str:
    """Return what a plan says of a folder or archive that has changed; nothing where it has not."""
    try:
        state = compare_source(prepared.made_from)
    except DataError as error:
        return f"; it cannot be compared with its source: {error}"
    if state not in (SourceState.TOUCHED, SourceState.CHANGED):
        return ""
    return f"; since then its source was changed, it {state.value}: {refresh_command(prepared)}"


def _keep_up(spec: DataSpec, data_dir: Path, say: Callable[[str], None]) -> None:
    """Compare a prepared file with its source; what was only touched is noted anew.

    Raises:
        DataError: the source holds other images.
    """
    held = load(prepared_path(spec, data_dir))
    if held.made_from is None or held.name != spec.name:
        return
    try:
        state = compare_source(held.made_from)
    except DataError as error:
        say(f"{held.path} cannot be compared with its source: {error}")
        return
    if state is SourceState.CHANGED:
        raise _changed(held, held.made_from, f"it {state.value}")
    if state is SourceState.TOUCHED:
        say(f"{held.made_from.path} was touched since it was prepared; its images are read again")
        _compare_images(held, held.made_from, spec)
        say(f"its images are the same (digest {held.digest[:12]})")


def _compare_images(held: Prepared, noted: MadeFrom, spec: DataSpec) -> None:
    """Prepare again in a folder of its own; the file takes the old one's place only if both hold the same."""
    source = Path(noted.path) if DATASETS[spec.name].own_copy else None
    try:
        folder = tempfile.TemporaryDirectory(prefix=".compare-", dir=held.path.parent)
    except OSError as error:
        raise cannot_write(held.path.parent, error) from error
    with folder as name:
        try:
            now = prepare(spec.located(noted.path if source is None else None), Path(name), source)
        except DataError as error:
            raise _changed(held, noted, str(error)) from error
        if now.digest != held.digest:
            raise _changed(held, noted, f"its digest is {now.digest[:12]} now")
        now.path.replace(held.path)
        sync_folder(held.path.parent)


def _changed(held: Prepared, noted: MadeFrom, why: str) -> DataError:
    return DataError(
        f"{noted.path} was changed since it was prepared (digest {held.digest[:12]}): {why}; nothing is trained on the"
        f" old images: take the new ones with `{refresh_command(held)}`, or put the old ones back"
    )
