"""Copies to a GPU that neither wait for it nor make it wait."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

_SHARE = 0.5
"""Of the memory that is free: the network's maps need the rest, and other trials may share the GPU."""


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device; to CUDA it is copied from pinned memory, behind what the GPU has to do already."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def resident(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a CUDA device, to stay for a whole trial; where it is already, if the device lacks room."""
    free, _ = torch.cuda.mem_get_info(device)
    return tensor.to(device) if tensor.nbytes <= _SHARE * free else tensor


class ReadAhead:
    """Reads the images of the next batch, in a thread of its own, while the GPU computes with this one.

    For images that are mapped from a file and do not fit on the GPU. They come in pinned memory where there is CUDA.

    Args:
        images: on the CPU, (images, ...).
    """

    def __init__(self, images: Tensor) -> None:
        self._images = images
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._ahead: tuple[Tensor, Future[Tensor]] | None = None

    def take(self, rows: Tensor, following: Tensor | None = None) -> Tensor:
        """Return images, and begin to read those that are said to be next.

        Args:
            rows: places of the images, (B,) int64; they need not be those that were said to be next.
            following: places of those that will be asked for next; None where they are not known.
        """
        ahead, self._ahead = self._ahead, None
        known = ahead is not None and torch.equal(ahead[0], rows)
        found = ahead[1].result() if ahead is not None and known else self._read(rows)
        if following is not None:
            self._ahead = following, self._thread.submit(self._read, following)
        return found

    def _read(self, rows: Tensor) -> Tensor:
        pinned = torch.cuda.is_available()
        shape = (len(rows), *self._images.shape[1:])
        out = torch.empty(shape, dtype=self._images.dtype, pin_memory=pinned)
        return torch.index_select(self._images, 0, rows, out=out)
