"""Fetch a data set from where torchvision fetches it."""

from __future__ import annotations

from pathlib import Path

from ablations.running.data.writing import MORE_ROOM
from ablations.running.machine.durable import FULL_OR_FAILING, DiskError
from senet_core.errors import UserError


def download(name: str, folder: Path) -> Path:
    """Download a data set's original files, checked by torchvision's checksums.

    Args:
        name: "cifar10", "cifar100" or "fashion-mnist".
        folder: where to put them; it exists.

    Returns:
        What `prepare` takes as its source: the archive, or the folder of files.

    Raises:
        UserError: the download failed; the message gives the reason alone.
        DiskError: there is no room for it.
    """
    try:
        return _fetch(name, folder)
    except OSError as error:
        if error.errno in FULL_OR_FAILING:
            raise DiskError(f"cannot write {folder.parent}: {error.strerror}; {MORE_ROOM}") from error
        raise UserError(" ".join(str(error).split()) or type(error).__name__) from error
    except Exception as error:  # torchvision passes on whatever urllib, ssl and sockets raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(why) from error


def _fetch(name: str, folder: Path) -> Path:
    from torchvision.datasets import CIFAR10, CIFAR100, FashionMNIST
    from torchvision.datasets.utils import download_url

    if name == "fashion-mnist":
        for file, checksum in FashionMNIST.resources:
            download_url(FashionMNIST.mirrors[0] + file, str(folder), file, checksum)
        return folder
    kind = CIFAR10 if name == "cifar10" else CIFAR100
    download_url(kind.url, str(folder), kind.filename, kind.tgz_md5)
    return folder / str(kind.filename)
