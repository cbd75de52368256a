"""Reading CIFAR as its authors publish it: pickled python batches, from which only plain data is loaded."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from ablations.running.data.file_trees import FileTree
from ablations.running.data.raw_dataset import RawDataset, from_arrays
from senet_core.errors import one_line

_FILES = {
    "cifar10": (tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    "cifar100": (("train",), "test", "meta"),
}
_KEYS = {"cifar10": (b"labels", b"label_names"), "cifar100": (b"fine_labels", b"fine_label_names")}
_CLASSES = {"cifar10": 10, "cifar100": 100}

_reconstruct = np.empty(0).__reduce__()[0]  # numpy moved it between its versions; an array knows where it is


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r} is not allowed")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _latin1,  # how Python 3 writes bytes into old pickles
}


class _PlainData(pickle.Unpickler):
    """Loads dicts, lists, bytes, numbers and numpy arrays; refuses anything else, and so any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which image data does not need")
        return _ALLOWED[module, name]


def unpickle(data: bytes, name: str) -> dict[Any, Any]:
    """Return a pickled dict of plain data; nothing in it is ever executed.

    Args:
        data: the pickle.
        name: of its file, for messages.

    Raises:
        DataError: it is damaged, is no dict, or holds anything but plain data.
    """
    try:
        loaded = _PlainData(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can fail in any way
        raise DataError(f"cannot read the python batch {name!r}: {one_line(error)}") from error
    if not isinstance(loaded, dict):
        raise DataError(f"cannot read the python batch {name!r}: it holds no dict")
    return loaded


def read_cifar(name: str, tree: FileTree, names: Sequence[str], origin: str) -> RawDataset | None:
    """Return CIFAR-10 or CIFAR-100 (fine labels) from its python batches, in the authors' order.

    Args:
        name: "cifar10" or "cifar100".
        tree: the folder or archive.
        names: the names in the tree.
        origin: where the images came from, for people.

    Returns:
        The data set; None where the tree has no python batches.

    Raises:
        DataError: a batch is missing or damaged, or does not hold what it should.
    """
    train, test, meta = _FILES[name]
    found = {file.split("/")[-1]: file for file in names if file.count("/") <= 1}
    if meta not in found and train[0] not in found:
        return None
    missing = [file for file in (*train, test, meta) if file not in found]
    if missing:
        raise DataError(f"the python batches of {name} are not complete: {', '.join(missing)} missing")
    read = dict(tree.read({found[file] for file in (*train, test, meta)}))
    loaded = {file: unpickle(read[found[file]], found[file]) for file in (*train, test, meta)}
    label_key, names_key = _KEYS[name]
    classes = _class_names(loaded[meta].get(names_key), found[meta], _CLASSES[name])
    splits = {file: _batch(loaded[file], label_key, found[file]) for file in (*train, test)}
    images, labels = (np.concatenate([splits[file][i] for file in train]) for i in (0, 1))
    return from_arrays(classes, (images, labels), splits[test], source=origin)


def _class_names(names: object, where: str, expected: int) -> tuple[str, ...]:
    if not isinstance(names, list) or len(names) != expected or not all(isinstance(n, bytes) for n in names):
        raise DataError(f"the python batch {where!r} does not name {expected} classes")
    return tuple(name.decode("utf-8", "replace") for name in names)


def _batch(
    batch: dict[Any, Any], label_key: bytes, where: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    pixels, labels = batch.get(b"data"), batch.get(label_key)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (3 * 32 * 32,):
        raise DataError(f"the python batch {where!r} does not hold rows of 3072 bytes")
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        raise DataError(f"the python batch {where!r} does not hold a list of labels")
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # the authors store whole colour planes
    return np.ascontiguousarray(images), np.array(labels, dtype=np.int64)
