"""Downloading a data set from where torchvision downloads it."""

from __future__ import annotations

from pathlib import Path

from ablations.errors import DataError
from ablations.running.data.writing import cannot_write
from ablations.running.machine.durable import FULL_OR_FAILING
from senet_core.errors import one_line


def download(name: str, folder: Path) -> Path:
    """Download a data set's original files, checked by torchvision's checksums.

    Args:
        name: "cifar10" or "cifar100".
        folder: where to put them; it exists.

    Returns:
        The downloaded archive: a source for `prepare`.

    Raises:
        DataError: the download failed; the message gives the reason alone.
        DiskError: the disk is full or failing.
    """
    try:
        return _fetch(name, folder)
    except OSError as error:
        full = error.errno in FULL_OR_FAILING
        raise (cannot_write(folder.parent, error) if full else DataError(one_line(error))) from error
    except Exception as error:  # torchvision passes on whatever urllib, ssl and sockets raise
        raise DataError(one_line(error)) from error


def _fetch(name: str, folder: Path) -> Path:
    from torchvision.datasets import CIFAR10, CIFAR100
    from torchvision.datasets.utils import download_url

    kind = CIFAR10 if name == "cifar10" else CIFAR100
    download_url(kind.url, str(folder), kind.filename, kind.tgz_md5)
    return folder / str(kind.filename)
