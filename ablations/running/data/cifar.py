"""Reading CIFAR as its authors publish it: pickled python batches, from which only plain data is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from ablations.running.data.file_trees import FileTree
from ablations.running.data.plain_pickle import unpickle
from ablations.running.data.raw_dataset import RawDataset, from_arrays

_FILES = {
    "cifar10": (tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    "cifar100": (("train",), "test", "meta"),
}
ORIGINALS = frozenset(name for train, *others in _FILES.values() for name in (*train, *others))
"""Names of the python batches."""

_KEYS = {"cifar10": (b"labels", b"label_names"), "cifar100": (b"fine_labels", b"fine_label_names")}
_CLASSES = {"cifar10": 10, "cifar100": 100}


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


def read_test_batch(
    name: str, tree: FileTree, names: Sequence[str]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the images and labels of the test batch alone, of a data set in the form of CIFAR-10 or CIFAR-100.

    Args:
        name: "cifar10" or "cifar100".
        tree: the folder or archive.
        names: the names in the tree.

    Shapes:
        returns (N, 32, 32, 3) and (N,).

    Raises:
        DataError: the batch is missing or damaged, or does not hold what it should.
    """
    test = _FILES[name][1]
    found = next((file for file in names if file.count("/") <= 1 and file.split("/")[-1] == test), None)
    if found is None:
        raise DataError(f"{str(tree.path)!r} has no python batch {test!r}")
    [(_, content)] = tree.read({found})
    loaded = {
        key.encode() if isinstance(key, str) else key: value
        for key, value in unpickle(content, found).items()
    }
    label_key = _KEYS[name][0]
    if isinstance(labels := loaded.get(label_key), np.ndarray):
        loaded[label_key] = labels.tolist()
    images, of_classes = _batch(loaded, label_key, found)
    if len(images) == 0 or len(images) != len(of_classes) or max(of_classes) >= _CLASSES[name]:
        raise DataError(
            f"the python batch {found!r} does not hold a class below {_CLASSES[name]} for each image"
        )
    return images, of_classes


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
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DataError(f"the python batch {where!r} does not hold a list of labels")
    odd = next((label for label in labels if not 0 <= label < 2**31), None)
    if odd is not None:
        shown = str(odd) if odd.bit_length() < 80 else f"of {odd.bit_length()} bits"
        raise DataError(f"the python batch {where!r}: label {shown} is out of range")
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # the authors store whole colour planes
    return np.ascontiguousarray(images), np.array(labels, dtype=np.int64)
