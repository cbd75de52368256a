"""Small data sets in the files that torchvision's classes read: each image has one colour, which tells its place."""

from __future__ import annotations

import bz2
import gzip
import struct
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

COUNTS = {"train": 4, "test": 3}
"""Images in each part; image i of a part has label i % 3 and grey level 20 * i + 5, in the test part 100 more."""


def grey(part: str, index: int) -> int:
    """Return the level of an image."""
    return 20 * index + 5 + 100 * (part == "test")


def levels(part: str) -> list[int]:
    """Return those of a part."""
    return [grey(part, index) for index in range(COUNTS[part])]


def labels(part: str) -> list[int]:
    """Return its labels."""
    return [index % 3 for index in range(COUNTS[part])]


def _square(part: str, index: int, size: int) -> Image.Image:
    return Image.new("RGB", (size, size), (grey(part, index),) * 3)


def svhn(root: Path) -> None:
    """Write two .mat files, in which the digit 0 has label 10."""
    for part in COUNTS:
        images = np.stack([np.full((32, 32, 3), level, np.uint8) for level in levels(part)], axis=3)
        found = np.array([[label or 10] for label in labels(part)], np.uint8)
        savemat(root / f"{part}_32x32.mat", {"X": images, "y": found})


def stl10(root: Path) -> None:
    """Write binary files of columns, with labels from 1."""
    folder = root / "stl10_binary"
    folder.mkdir()
    for part in COUNTS:
        images = np.stack([np.full((3, 96, 96), level, np.uint8) for level in levels(part)])
        images.tofile(folder / f"{part}_X.bin")
        (np.array(labels(part), np.uint8) + 1).tofile(folder / f"{part}_y.bin")
    (folder / "class_names.txt").write_text("\n".join(f"kind {number}" for number in range(10)))


def idx_images(part: str) -> bytes:
    """Return an IDX file of a part's images."""
    pixels = b"".join(bytes([level]) * 28 * 28 for level in levels(part))
    return struct.pack(">4B3I", 0, 0, 8, 3, COUNTS[part], 28, 28) + pixels


def idx_labels(part: str) -> bytes:
    """Return one of its labels."""
    return struct.pack(">4BI", 0, 0, 8, 1, COUNTS[part]) + bytes(labels(part))


def emnist(root: Path) -> None:
    """Write EMNIST's four IDX files where torchvision has them."""
    folder = root / "EMNIST" / "raw"
    folder.mkdir(parents=True)
    for part in COUNTS:
        stem = f"emnist-balanced-{part}"
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(idx_images(part))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx_labels(part))


def fashion_mnist(root: Path) -> None:
    """Write Fashion-MNIST's files as their authors publish them: gzipped; one of them unpacked."""
    for part, stem in (("train", "train"), ("test", "t10k")):
        (root / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_images(part)))
    (root / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_labels("train")))
    (root / "t10k-labels-idx1-ubyte").write_bytes(idx_labels("test"))


def usps(root: Path) -> None:
    """Write lines of numbers between -1 and 1, with labels from 1."""
    for part, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        lines = []
        for level, label in zip(levels(part), labels(part), strict=True):
            value = (level + 0.5) / 255 * 2 - 1
            lines.append(f"{label + 1} " + " ".join(f"{place}:{value}" for place in range(1, 257)))
        with bz2.open(root / name, "wt") as file:
            file.write("\n".join(lines))


def pets(root: Path) -> None:
    """Write images in one folder, and lists of them, for 37 classes."""
    base = root / "oxford-iiit-pet"
    (base / "images").mkdir(parents=True)
    (base / "annotations").mkdir()
    for part, name in (("train", "trainval"), ("test", "test")):
        lines = []
        for label in range(37):
            stem = f"breed_{label:02d}_{1 if part == 'train' else 2}"
            image = Image.new("RGB", (40, 30 + label % 2 * 20), (label * 5, 50, 100 * (part == "test")))
            image.save(base / "images" / f"{stem}.jpg", quality=95)
            lines.append(f"{stem} {label + 1} 1 1")
        (base / "annotations" / f"{name}.txt").write_text("\n".join(lines))


def tiny_imagenet(root: Path) -> None:
    """Write 200 class folders with one training image each, and three validation images with their list."""
    base = root / "tiny-imagenet-200"
    numbers = [f"n{number:08d}" for number in range(200)]
    for place, number in enumerate(numbers):
        (base / "train" / number / "images").mkdir(parents=True)
        _square("train", place % 4, 64).save(base / "train" / number / "images" / f"{number}_0.JPEG")
    (base / "val" / "images").mkdir(parents=True)
    lines = []
    for index, label in enumerate(labels("test")):
        _square("test", index, 64).save(base / "val" / "images" / f"val_{index}.JPEG")
        lines.append(f"val_{index}.JPEG\t{numbers[label]}\t0\t0\t63\t63")
    (base / "val" / "val_annotations.txt").write_text("\n".join(lines) + "\n")
    (base / "wnids.txt").write_text("\n".join(reversed(numbers)) + "\n")
    words = [f"{number}\tname {place}, other name" for place, number in enumerate(numbers)]
    (base / "words.txt").write_text("\n".join(words) + "\n")


def gtsrb(root: Path) -> None:
    """Write signs of many sizes: a folder for each class, and a list of the test images."""
    base = root / "gtsrb"
    for label in range(43):
        folder = base / "GTSRB" / "Training" / f"{label:05d}"
        folder.mkdir(parents=True)
        Image.new("RGB", (30 + label, 40), (label, 0, 0)).save(folder / "0.ppm")
    tests = base / "GTSRB" / "Final_Test" / "Images"
    tests.mkdir(parents=True)
    lines = ["Filename;Width;Height;ClassId"]
    for index, label in enumerate(labels("test")):
        _square("test", index, 33).save(tests / f"{index:05d}.ppm")
        lines.append(f"{index:05d}.ppm;33;33;{label}")
    (base / "GT-final_test.csv").write_text("\n".join(lines))
