"""The images that trained networks are tested on: prepared ones, or where larger ones are wanted, their originals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import dataset
from ablations.planning.networks.views import Views
from ablations.running.data import Prepared
from ablations.running.data.file_trees import Folder
from ablations.running.data.folders import find_images
from ablations.running.data.images import opened
from ablations.running.data.keeping_up import refresh_command
from ablations.running.data.made_from import SourceState, compare_source
from ablations.running.data.torchvision_sets.reading import class_of

_BLOCK = 50


@dataclass(frozen=True, eq=False)
class ImagesToTest:
    """Images with their labels, in a fixed order.

    Attributes:
        name: of the set; the data set's own for its test images.
        digest: of what they are.
        labels: (N,) int64.
        blocks: yields them in order, (B, H, W, C) uint8, those of a block of one size.
        original: whether they are as they were photographed, of many sizes.
        copies: how often the same N / copies images follow one another, corrupted in another way each time.
    """

    name: str
    digest: str
    labels: npt.NDArray[np.int64]
    blocks: Callable[[], Iterator[Tensor]]
    original: bool = False
    copies: int = 1

    def to_json(self) -> dict[str, str | int]:
        """Return what tells these images from others."""
        copies = {} if self.copies == 1 else {"copies": self.copies}
        return {"name": self.name, "digest": self.digest, "images": len(self.labels), **copies}


def own_images(spec: DataSpec, data: Prepared, views: Views) -> ImagesToTest:
    """Return the test images of the data that a network was trained on.

    They are the prepared ones where these are whole images; those of many sizes were cropped when they were prepared,
    so that other views than that one are of their files.

    Args:
        spec: the data.
        data: opened, with the test images that count.
        views: what will be seen of them.

    Raises:
        DataError: files are wanted that are not there, or were changed since they were prepared; or a part of them
            only is tested.
    """
    labels = data.test_labels.numpy()
    many_sizes = "size" in dataset(spec.name).asks
    if many_sizes and not views.as_trained:
        return ImagesToTest(spec.name, data.digest, labels, _originals(spec, data), original=True)
    return ImagesToTest(spec.name, data.digest, labels, lambda: iter(torch.split(data.test_images, _BLOCK)))


def _originals(spec: DataSpec, data: Prepared) -> Callable[[], Iterator[Tensor]]:
    noted = data.made_from
    if spec.test_images is not None:
        raise DataError(
            f"other views than one crop are of all test images of {spec.name!r}: without test_images"
        )
    if noted is None or (state := compare_source(noted)) is SourceState.GONE:
        raise DataError(
            f"other views than one crop are of the files of {spec.name!r}, from which {data.path} was prepared, and"
            f" they are not there: {refresh_command(data)}"
        )
    if state is not SourceState.SAME:
        raise DataError(f"{noted.path} {state.value} since {data.path} was prepared: {refresh_command(data)}")
    asked = dataset(spec.name).torchvision
    if asked is None:
        tree = Folder(Path(noted.path))
        names = find_images(tree.names(), tree.path).test.names
        return lambda: (_block(opened(content, name)) for one in names for name, content in tree.read({one}))
    images = class_of(asked)(noted.path, **asked.arguments("test"))
    return lambda: (_block(np.asarray(images[index][0].convert("RGB"))) for index in range(len(images)))


def _block(image: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image.copy())[None]
