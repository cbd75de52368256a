"""How each data set is made ready, and how a trial comes by its data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ablations.planning.trial import DataSpec
from ablations.running.data.cifar import find_batches, from_batches
from ablations.running.data.digits import from_scikit_learn
from ablations.running.data.download import download as fetch
from ablations.running.data.fashion import find_idx, from_idx
from ablations.running.data.file_trees import open_source
from ablations.running.data.folders import Layout, find_images
from ablations.running.data.images import Cropped, Exact, from_images
from ablations.running.data.paths import Dataset, data_spec, dataset, folder_and_size, prepared_path
from ablations.running.data.prepared import Prepared, load, load_for_choosing
from ablations.running.data.raw_dataset import Content
from ablations.running.data.writing import write
from ablations.running.machine.durable import FULL_OR_FAILING, DiskError
from senet_core.errors import UserError

JPEG_NOTE = (
    "images decoded from JPEG files; results are not comparable with the original data "
    "to the last tenth of a per cent"
)

_OWN_SOURCE = {
    "digits": "it comes with scikit-learn",
    "image-folder": "its path is part of its specification",
}


def prepare(
    what: str | DataSpec, data_dir: Path, source: Path | None = None, *, download: bool = True
) -> Prepared:
    """Make a data set's prepared file, in place of any that is there, and open it whole.

    Args:
        what: a name, or for `image-folder` a specification with path and size; subset sizes are ignored.
        data_dir: folder of the prepared files; made if need be.
        source: the user's own copy: a folder or archive of images in train/CLASS/ and test/CLASS/, or the
            files as their authors publish them. None to download.
        download: whether the network may be used.

    Raises:
        UserError: the name is unknown, the source is missing or bad or of no use for this data set, the
            download failed, or `data_dir` cannot be written.
    """
    spec = data_spec(what) if isinstance(what, str) else what
    path = prepared_path(spec, data_dir)
    known = dataset(spec.name)
    if source is not None and not known.downloadable:
        raise UserError(f"data set {known.name!r} takes no source; {_OWN_SOURCE[known.name]}")
    if spec.name == "digits":
        write(path, spec.name, from_scikit_learn())
    elif spec.name == "image-folder":
        write(path, spec.name, _image_folder(spec))
    elif source is not None:
        write(path, spec.name, _from_source(known, source, str(source)))
    elif download:
        _download_and_write(known, path)
    else:
        raise _missing(known, data_dir, "the network is not to be used")
    return load(path)


def open_prepared(spec: DataSpec, data_dir: Path) -> Prepared:
    """Open a data set that was prepared before, cut to the subset of `spec`; digits are made on the fly.

    Where `spec` holds validation images back, the test part is not read.

    Raises:
        UserError: it was not prepared, its file is damaged or holds other data, or the subset is larger than the data.
    """
    path = prepared_path(spec, data_dir)
    if not path.exists() and spec.name != "digits":
        raise _missing(dataset(spec.name), data_dir, "")
    if not path.exists():
        prepare(spec, data_dir)
    if spec.validation_images is not None:
        return _named(load_for_choosing(path, spec.validation_images), spec).subset(spec.train_images)
    return _named(load(path), spec).subset(spec.train_images, spec.test_images)


def _named(prepared: Prepared, spec: DataSpec) -> Prepared:
    if prepared.name != spec.name:
        raise UserError(
            f"{prepared.path} holds {prepared.name!r}, not {spec.name!r}; remove it, then run `ablate data prepare`"
        )
    return prepared


def ensure_prepared(spec: DataSpec, data_dir: Path) -> Prepared:
    """Open a data set, making it ready first where need be: from its folder, or by a download.

    Raises:
        UserError: it was not prepared and could not be had; the message names both ways out.
    """
    if not prepared_path(spec, data_dir).exists():
        prepare(spec, data_dir)
    return open_prepared(spec, data_dir)


def _missing(known: Dataset, data_dir: Path, why: str) -> UserError:
    reason = f" ({why})" if why else ""
    if known.name == "image-folder":
        return UserError(f"the image folder is not prepared in {data_dir}{reason}; run `ablate data prepare`")
    run = f"ablate data prepare {known.name}"
    return UserError(
        f"data set {known.name!r} is not prepared in {data_dir}{reason}; connect to the network and run "
        f"`{run}`, or give your own copy: `{run} --from PATH`"
    )


def _download_and_write(known: Dataset, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=".download-", dir=path.parent)
    except OSError as error:
        kind = DiskError if error.errno in FULL_OR_FAILING else UserError
        raise kind(f"cannot write {path.parent}: {error.strerror or error}") from error
    with temporary as folder:
        try:
            fetched = fetch(known.name, Path(folder))
        except UserError as error:
            raise _missing(known, path.parent, f"and the download failed: {error}") from error
        write(path, known.name, _from_source(known, fetched, "download by torchvision"))


def _from_source(known: Dataset, path: Path, origin: str) -> Content:
    source = open_source(path)
    names = source.names()
    if known.name == "fashion-mnist":
        idx = find_idx(names)
        if idx is not None:
            return from_idx(source, idx, origin)
    else:
        batches = find_batches(known.name, names)
        if batches is not None:
            return from_batches(known.name, source, batches, origin)
    layout = find_images(names, path)
    if len(layout.classes) != known.classes:
        raise UserError(f"{path} has {len(layout.classes)} classes; {known.name} has {known.classes}")
    assert known.size is not None  # only an image folder has none, and it is read elsewhere
    decode = Exact(known.size, known.channels)
    return from_images(source, layout, decode, decode, origin=origin, note=_note(known, layout))


def _note(known: Dataset, layout: Layout) -> str:
    notes = [JPEG_NOTE] if layout.from_jpeg else []
    found = len(layout.train.names), len(layout.test.names)
    if found != (known.train_images, known.test_images):
        notes.append(
            f"{found[0]} training and {found[1]} test images, "
            f"the original has {known.train_images} and {known.test_images}"
        )
    return "; ".join(notes)


def _image_folder(spec: DataSpec) -> Content:
    """Read a folder in ImageNet's layout.

    The short side of every image becomes `size` x 8/7, rounded (256 for 224). Test images are the central
    square of `size`; training images keep the larger central square, so that a random crop has a choice.
    """
    path, size = folder_and_size(spec)
    source = open_source(path)
    layout = find_images(source.names(), path)
    short = round(size * 8 / 7)
    note = (
        f"short side resized to {short} pixels, central square of {short} (training) and {size} (test) pixels"
    )
    return from_images(
        source, layout, Cropped(short, short), Cropped(short, size), origin=str(path), note=note
    )
