"""The data sets that studies may name, and the fields that each needs."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.planning.networks.torchvision_sets import TORCHVISION, TorchvisionSet
from senet_core.errors import UserError, unknown


@dataclass(frozen=True)
class Dataset:
    """The description of a data set, known before it is read.

    Attributes:
        name: as studies give it.
        classes: number of classes; None where the folders decide.
        size: side of an image in pixels; None where the study decides.
        channels: 1 for grey, 3 for RGB.
        train_images: images in the original training part; None where the folders decide.
        test_images: the same for the test part.
        downloadable: whether `run` downloads it by itself where nothing is prepared.
        source: where its images come from, in a few words.
        asks: fields that a study must give for this data set and may not give for others.
        torchvision: how torchvision's class for it is asked; None where it is read in another way.
    """

    name: str
    classes: int | None = None
    size: int | None = None
    channels: int = 3
    train_images: int | None = None
    test_images: int | None = None
    downloadable: bool = False
    source: str = ""
    asks: tuple[str, ...] = ()
    torchvision: TorchvisionSet | None = None

    @property
    def own_copy(self) -> bool:
        """Whether the images may come from a copy of the user's, which may have more or fewer than the original."""
        return self.downloadable or self.torchvision is not None


_DOWNLOADED = "torchvision's download, or `ablate data prepare NAME --from PATH`"

_TORCHVISION = "torchvision's {kind}: `ablate data prepare NAME{size} --from FOLDER`{download}"


def _of_torchvision() -> tuple[Dataset, ...]:
    found = []
    for name, known in TORCHVISION.items():
        numbers = (known.classes, known.size, known.channels, known.train_images, known.test_images)
        source = _TORCHVISION.format(
            kind=known.read_by.kind,
            size=" --size N" if known.size is None else "",
            download=" or `--download`" if known.read_by.downloads else "",
        )
        asks = ("size",) if known.size is None else ()
        found.append(Dataset(name, *numbers, source=source, asks=asks, torchvision=known.read_by))
    return tuple(found)


_ALL = (
    Dataset("digits", 10, 8, 1, 1297, 500, source="comes with scikit-learn"),
    Dataset("cifar10", 10, 32, 3, 50_000, 10_000, downloadable=True, source=_DOWNLOADED),
    Dataset("cifar100", 100, 32, 3, 50_000, 10_000, downloadable=True, source=_DOWNLOADED),
    *_of_torchvision(),
    Dataset("image-folder", asks=("path", "size"), source="a folder of yours, in ImageNet's layout"),
)

DATASETS: dict[str, Dataset] = {known.name: known for known in _ALL}
"""The data sets that a study may name."""

ASKED = ("path", "size")
"""Fields that only some data sets have."""


def dataset(name: str) -> Dataset:
    """Return the data set with a name.

    Raises:
        UserError: no data set has this name.
    """
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def check_fields(name: str, *, path: str | None, size: int | None) -> None:
    """Check that a data set is known and has the fields that it needs, and no others.

    Raises:
        UserError: the name is unknown, or a field is missing or has no effect.
    """
    known = dataset(name)
    given = {"path": path, "size": size}
    for field in ASKED:
        if field in known.asks and given[field] is None:
            wanted = "a path and a size in pixels" if "path" in known.asks else "a size in pixels"
            raise UserError(f"data set {name!r} needs {wanted}; {field} is missing")
        if field not in known.asks and given[field] is not None:
            why = "only 'image-folder' does" if field == "path" else f"its images have {known.size} pixels"
            raise UserError(f"data set {name!r} takes no {field}; {why}")


def check_subset(
    name: str, *, train_images: int | None, test_images: int | None, validation_images: int | None
) -> None:
    """Check the numbers of images of a subset, as far as possible before the data set is read.

    Raises:
        UserError: a number is too small or too large, or validation and test images are both given.
    """
    known = dataset(name)
    if validation_images is not None and test_images is not None:
        raise UserError(
            "give test_images or validation_images: a network that is judged on validation images sees no test images"
        )
    fixed = not known.own_copy  # else the user's own copy may have more images than the original
    asked = (
        ("train_images", train_images, known.classes or 1, known.train_images),
        ("test_images", test_images, 1, known.test_images),
        ("validation_images", validation_images, known.classes or 1, known.train_images),
    )
    for field, count, least, most in asked:
        if count is None:
            continue
        if fixed and most is not None and not least <= count <= most:
            raise UserError(f"{field} must be between {least} and {most} for data set {name!r}, got {count}")
        if count < least:
            raise UserError(f"{field} must be at least {least} for data set {name!r}, got {count}")
    used = (train_images or known.classes or 2) + (validation_images or 0)
    if fixed and validation_images and known.train_images is not None and used > known.train_images:
        raise UserError(
            f"train_images and validation_images are {used:,} together, and data set {name!r} has"
            f" {known.train_images:,} training images"
        )


def check_resampling(
    name: str, train_images: int | None, validation_images: int | None, *, resample: str | None
) -> None:
    """Check that there is something to draw the training images from, as far as that is known before they are read.

    Raises:
        UserError: all training images are used.
    """
    if resample is None:
        return
    known = dataset(name)
    held_back = validation_images or 0
    whole = known.train_images is not None and (train_images or 0) >= known.train_images - held_back
    if train_images is None or (whole and not known.own_copy):
        raise UserError(
            "resample: train draws the training images by the seed, and all of them are used: give train_images, fewer"
            f" than there are{'' if known.train_images is None else f' (of {known.train_images - held_back:,})'}"
        )
