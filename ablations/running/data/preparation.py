"""Preparing each data set, from a download or the user's own copy, and opening it for a trial."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ablations.errors import DataError
from ablations.planning.commands import prepare_command
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import Dataset, dataset
from ablations.running.data.cifar import read_cifar
from ablations.running.data.content import check_content, file_state
from ablations.running.data.digits import from_scikit_learn
from ablations.running.data.download import download as fetch
from ablations.running.data.file_trees import FileTree, open_file_tree
from ablations.running.data.folders import ImageFiles, find_images
from ablations.running.data.images import Cropped, Exact, from_images
from ablations.running.data.made_from import note_source
from ablations.running.data.paths import folder_and_size, prepared_path
from ablations.running.data.prepared import Prepared, load, load_for_choosing
from ablations.running.data.raw_dataset import RawDataset
from ablations.running.data.torchvision_sets.idx_files import idx_files
from ablations.running.data.torchvision_sets.reading import read_torchvision
from ablations.running.data.writing import cannot_write, write

_log = logging.getLogger("ablations")

OPENINGS = 10
"""How often a file is opened that another takes the place of at that moment."""

JPEG_NOTE = (
    "images decoded from JPEG files; results are not comparable with the original data "
    "to the last tenth of a per cent"
)

_OWN_SOURCE = {
    "digits": "it comes with scikit-learn",
    "image-folder": "its path is part of its specification",
}


DOWNLOADS = "downloads"
"""Where torchvision's files are put below the folder of prepared files, if no other folder is given."""


def prepare(
    spec: DataSpec, data_dir: Path, source: Path | None = None, *, download: bool = False
) -> Prepared:
    """Write a data set's prepared file, replacing any that is there, and open the whole data set.

    Args:
        spec: the data set; subset sizes are ignored.
        data_dir: folder of the prepared files; created if needed.
        source: the user's own copy: a folder or archive of images in train/CLASS/ and test/CLASS/, or the
            files as their authors publish them; for a data set that torchvision's class reads, the folder that it
            calls `root`. None to download CIFAR.
        download: whether torchvision's class downloads what is missing in `source`, or where there is none, in
            `data_dir`/downloads.

    Raises:
        DataError: the source is missing, damaged or not for this data set, or the download failed or was not asked
            for.
        UserError: `data_dir` cannot be written.
        DiskError: the disk is full or failing.
    """
    path = prepared_path(spec, data_dir)
    known = dataset(spec.name)
    if (source is not None or download) and not known.own_copy:
        raise DataError(f"data set {known.name!r} takes no source; {_OWN_SOURCE[known.name]}")
    if download and known.downloadable and source is not None:
        raise DataError(f"give a source for data set {known.name!r}, or let it be downloaded, not both")
    if spec.name == "digits":
        write(path, spec.name, from_scikit_learn())
    elif spec.name == "image-folder":
        write(path, spec.name, _image_folder(spec))
    elif known.torchvision is not None:
        write(path, spec.name, _by_torchvision(spec, data_dir, source, download))
    elif source is not None:
        noted = note_source(source)  # before it is read: what changes meanwhile is seen the next time
        write(path, spec.name, replace(_from_source(known, source, str(source)), made_from=noted))
    else:
        _download_and_write(known, path)
    return load(path)


def open_prepared(spec: DataSpec, data_dir: Path, digest: str | None = None, *, seed: int = 0) -> Prepared:
    """Open a prepared data set, reduced to the subset of `spec`; digits are prepared here if they are not yet.

    The file's content is compared with its header. Where `spec` holds validation images back, the test images are
    read for that alone.

    Args:
        spec: the data set.
        data_dir: folder of the prepared files.
        digest: of the data that are wanted; None for whatever is there.
        seed: of the trial, which draws the training images where `spec` asks for that.

    Raises:
        DataError: it was not prepared, its file is damaged or holds other data, or the subset is larger than the data.
    """
    path = prepared_path(spec, data_dir)
    if not path.exists() and spec.name != "digits":
        raise _missing(spec, data_dir)
    if not path.exists():
        prepare(spec, data_dir)
    opened = _named(_open_checked(path, spec), spec)
    if digest is not None and opened.digest != digest:
        raise DataError(
            f"{path} holds other data now (digest {opened.digest[:12]}; the record is of {digest[:12]}): put the"
            " file with those back, and the same command goes on; other data need `fresh=True` or another `results_dir`"
        )
    if spec.validation_images is None:
        opened = opened.subset(test_images=spec.test_images)
    if spec.resample == "train" and spec.train_images is not None:
        return opened.resampled(spec.train_images, seed)
    return opened.subset(spec.train_images)


def prepared_digests(specs: Iterable[DataSpec], data_dir: Path) -> dict[DataSpec, str]:
    """Return the digests of the data sets whose prepared files are here and can be opened."""
    found = {}
    for spec in specs:
        with suppress(DataError):
            found[spec] = load(prepared_path(spec, data_dir)).digest
    return found


def _open_checked(path: Path, spec: DataSpec) -> Prepared:
    """Open a file of which the content is what its header says, and which was the same file all that time."""
    for _ in range(OPENINGS):
        before = file_state(path)
        check_content(path)
        held_back = spec.validation_images
        opened = load(path) if held_back is None else load_for_choosing(path, held_back)
        if file_state(path) == before:
            return opened
    raise DataError(f"{path} is replaced again and again; wait until its preparation has ended")


def _named(prepared: Prepared, spec: DataSpec) -> Prepared:
    if prepared.name != spec.name:
        raise DataError(
            f"{prepared.path} holds {prepared.name!r}, not {spec.name!r}; remove it, then:"
            f" {_prepare(spec, prepared.path.parent)}"
        )
    return prepared


def _missing(spec: DataSpec, data_dir: Path, reason: str = "") -> DataError:
    run, known = _prepare(spec, data_dir), dataset(spec.name)
    if spec.name == "image-folder":
        return DataError(f"the image folder is not prepared in {data_dir}{reason}; run `{run}`")
    if known.torchvision is not None:
        download = f", or `{run} --download` to have them downloaded" if known.torchvision.downloads else ""
        return DataError(
            f"data set {spec.name!r} is not prepared in {data_dir}; give the files, `{run} --from FOLDER`, a folder"
            f" that holds {', '.join(known.torchvision.files)}{download}"
        )
    return DataError(
        f"data set {spec.name!r} is not prepared in {data_dir}{reason}; connect to the network and run "
        f"`{run}`, or give your own copy: `{run} --from PATH`"
    )


def _prepare(spec: DataSpec, data_dir: Path) -> str:
    return prepare_command(spec.name, data_dir, path=spec.images, size=spec.size)


def _by_torchvision(spec: DataSpec, data_dir: Path, source: Path | None, download: bool) -> RawDataset:
    known = dataset(spec.name)
    assert known.torchvision is not None
    if source is None and not download:
        raise _missing(spec, data_dir)
    root = data_dir / DOWNLOADS if source is None else source
    if download:
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(root, error) from error
    elif not root.is_dir():
        raise DataError(f"there is no folder {str(root)!r}")
    read = read_torchvision(known, root, spec.size, _prepare(spec, data_dir), download=download)
    # what a class has unpacked or downloaded is noted, too
    parts = idx_files(root, *known.torchvision.files) if known.torchvision.idx else known.torchvision.files
    return replace(read, made_from=note_source(root, parts))


def _download_and_write(known: Dataset, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=".download-", dir=path.parent)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    with temporary as folder:
        try:
            fetched = fetch(known.name, Path(folder))
        except DataError as error:
            raise _missing(
                DataSpec(name=known.name), path.parent, f" (and the download failed: {error})"
            ) from error
        write(path, known.name, _from_source(known, fetched, "download by torchvision"))


def _from_source(known: Dataset, path: Path, origin: str) -> RawDataset:
    tree = open_file_tree(path)
    names = tree.names()
    original = read_cifar(known.name, tree, names, origin)
    if original is not None:
        return original
    files = _found(tree, names, path)
    if len(files.classes) != known.classes:
        raise DataError(f"{path} has {len(files.classes)} classes; {known.name} has {known.classes}")
    assert known.size is not None  # only an image folder has none, and it is read elsewhere
    decode = Exact(known.size, known.channels)
    return from_images(tree, files, decode, decode, origin=origin, note=_note(known, files))


def _found(tree: FileTree, names: Sequence[str], path: Path) -> ImageFiles:
    """Return the images of a tree, and say what its user should know of it in the log "ablations"."""
    files = find_images(names, path)
    for text in (*tree.said, *files.said):
        _log.warning("%s", text)
    return files


def _note(known: Dataset, files: ImageFiles) -> str:
    notes = [JPEG_NOTE] if files.from_jpeg else []
    found = len(files.train.names), len(files.test.names)
    if found != (known.train_images, known.test_images):
        notes.append(
            f"{found[0]} training and {found[1]} test images, "
            f"the original has {known.train_images} and {known.test_images}"
        )
    return "; ".join(notes)


def _image_folder(spec: DataSpec) -> RawDataset:
    """Return the images of a folder in ImageNet's layout.

    The short side of every image becomes `size` x 8/7, rounded (256 for 224). Test images are the central
    square of `size`; training images keep the larger central square, so that random crops differ.
    """
    path, size = folder_and_size(spec)
    noted = note_source(path)
    tree = open_file_tree(path)
    files = _found(tree, tree.names(), path)
    short = round(size * 8 / 7)
    note = (
        f"short side resized to {short} pixels, central square of {short} (training) and {size} (test) pixels"
    )
    read = from_images(tree, files, Cropped(short, short), Cropped(short, size), origin=str(path), note=note)
    return replace(read, made_from=noted)
