"""Data sets: archives, pickled batches, IDX files, images, and prepared files."""

from __future__ import annotations

import io
import pickle
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data.content import verify
from ablations.running.data.preparation import prepare
from ablations.running.data.prepared import load, load_for_choosing

CIFAR = DataSpec(name="cifar10")
Read = Callable[[Path, bytes, int], None]


def _batch(names: bool = False) -> bytes:
    classes = [f"class {i}".encode() for i in range(10)]
    content = {
        b"data": np.arange(20 * 3072, dtype=np.uint8).reshape(20, 3072),
        b"labels": [i % 10 for i in range(20)],
    }
    return pickle.dumps({b"label_names": classes} if names else content, protocol=2)


def _cifar(folder: Path) -> Path:
    inner = folder / "cifar-10-batches-py"
    inner.mkdir(parents=True)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (inner / name).write_bytes(_batch())
    (inner / "batches.meta").write_bytes(_batch(names=True))
    return inner


def archives(form: str) -> Callable[[Path], Sequence[bytes]]:
    """Return what makes archives of CIFAR's batches and of images."""

    def make(here: Path) -> Sequence[bytes]:
        _cifar(here / "batches")
        _image_folders(here / "images", 32, 10)
        return [
            Path(shutil.make_archive(str(here / name), form, here / name)).read_bytes()
            for name in ("batches", "images")
        ]

    return make


def read_archive(name: str) -> Read:
    """Return what reads an archive of that name."""

    def read(here: Path, data: bytes, number: int) -> None:
        (here / name).write_bytes(data)
        prepare(CIFAR, here / "data", here / name)

    return read


def batches(here: Path) -> Sequence[bytes]:
    inner = _cifar(here / "batches")
    return [(inner / name).read_bytes() for name in ("data_batch_1", "batches.meta")]


def read_batch(here: Path, data: bytes, number: int) -> None:
    inner = here / "batches" / "cifar-10-batches-py"
    name, whole = (
        ("batches.meta", _batch(names=True)) if b"label_names" in data else ("data_batch_1", _batch())
    )
    try:
        (inner / name).write_bytes(data)
        prepare(CIFAR, here / "data", here / "batches")
    finally:
        (inner / name).write_bytes(whole)


def idx_files(here: Path) -> Sequence[bytes]:
    import gzip

    def idx(*shape: int) -> bytes:
        head = bytes((0, 0, 8, len(shape))) + b"".join(size.to_bytes(4, "big") for size in shape)
        return head + bytes(np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8) % 10)

    (here / "fashion").mkdir()
    for name in ("train", "t10k"):
        (here / "fashion" / f"{name}-images-idx3-ubyte").write_bytes(idx(20, 28, 28))
        (here / "fashion" / f"{name}-labels-idx1-ubyte").write_bytes(idx(20))
    return [idx(20, 28, 28), gzip.compress(idx(20, 28, 28), mtime=0)]


def read_idx(here: Path, data: bytes, number: int) -> None:
    (here / "fashion" / "train-images-idx3-ubyte").write_bytes(data)
    prepare(DataSpec(name="fashion-mnist"), here / "data", here / "fashion")


def _image(form: str, size: int, mode: str = "RGB") -> bytes:
    pixels = np.arange(size * size * 3, dtype=np.int64).reshape(size, size, 3) % 251
    buffer = io.BytesIO()
    (Image.fromarray(pixels.astype(np.uint8)).convert("I" if mode == "I;16" else mode).convert(mode)).save(
        buffer, form
    )
    return buffer.getvalue()


def _image_folders(folder: Path, size: int, classes: int) -> None:
    for split in ("train", "test"):
        for label in range(classes):
            path = folder / split / f"c{label}" / "0.png"
            path.parent.mkdir(parents=True)
            path.write_bytes(_image("PNG", size))


def images(here: Path) -> Sequence[bytes]:
    _image_folders(here / "images", 20, 2)
    forms = [
        ("JPEG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("BMP", "RGB"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("PPM", "RGB"),
        ("TIFF", "RGB"),
        ("TIFF", "L"),
        ("PNG", "I;16"),
        ("JPEG", "CMYK"),
    ]
    tiff = io.BytesIO()
    Image.new("RGB", (20, 20)).save(tiff, "TIFF", compression="tiff_lzw")
    return [*(_image(form, 20, mode) for form, mode in forms), tiff.getvalue()]


def read_image(here: Path, data: bytes, number: int) -> None:
    (here / "images" / "train" / "c0" / "0.png").write_bytes(data)
    prepare(DataSpec(name="image-folder", path=str(here / "images"), size=16), here / "data")


def prepared(here: Path) -> Sequence[bytes]:
    _cifar(here / "batches")
    whole = prepare(CIFAR, here / "data", here / "batches").path.read_bytes()
    return [whole]


def read_prepared(here: Path, data: bytes, number: int) -> None:
    path = here / "changed.safetensors"
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    reads = (partial(load, path), partial(load_for_choosing, path, 20))
    opened = reads[number % 2]()
    fewer = opened.subset(20, 10)
    assert fewer.train_images.float().mean() >= 0
    assert len(fewer.mean) >= 0 <= len(fewer.image_shape)
    if number % 2 == 0:
        verify(opened)
