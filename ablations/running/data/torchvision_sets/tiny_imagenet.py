"""Tiny ImageNet in the form of torchvision's data sets, which has no class for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image


class TinyImageNet:
    """The 200 classes of Tiny ImageNet, in the layout of its archive.

    Args:
        root: holds `tiny-imagenet-200`.
        split: "train" or "val"; the labels of the test images are not published.

    Attributes:
        classes: the first name of each, in the order of their WordNet numbers.
        targets: the class of each image, from 0.

    Raises:
        RuntimeError: a file of the layout is missing, or says what it should not.

    Source: Stanford's course CS231n, 2015; 500 training and 50 validation images of 64 x 64 pixels for each class.
    """

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self._base = Path(root) / "tiny-imagenet-200"
        try:
            numbers = sorted((self._base / "wnids.txt").read_text().split())
            words = dict(
                line.split("\t", 1)
                for line in (self._base / "words.txt").read_text().splitlines()
                if "\t" in line
            )
            labels = {number: label for label, number in enumerate(numbers)}
            named = self._train(numbers) if split == "train" else self._validation()
            self._samples = [(path, labels[number]) for path, number in named]
        except OSError as error:
            raise RuntimeError(f"{error.filename}: {error.strerror}") from error
        except KeyError as error:
            raise RuntimeError(f"{error} is not among the classes of wnids.txt") from error
        self.classes = [words.get(number, number).split(",")[0] for number in numbers]
        self.targets = [label for _, label in self._samples]

    def _train(self, numbers: list[str]) -> list[tuple[Path, str]]:
        folders = ((number, self._base / "train" / number / "images") for number in numbers)
        return [(path, number) for number, folder in folders for path in sorted(folder.iterdir())]

    def _validation(self) -> list[tuple[Path, str]]:
        lines = (self._base / "val" / "val_annotations.txt").read_text().splitlines()
        told = (line.split("\t") for line in lines if line.strip())
        return [(self._base / "val" / "images" / name, number) for name, number, *_ in told]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return an image, RGB, and its class."""
        path, label = self._samples[index]
        with Image.open(path) as image:
            return image.convert("RGB"), label
