"""Group: the processes that train one trial, and what they tell each other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ablations.planning.networks.batches import check_shares
from ablations.running.training.augmentation.share import WHOLE, BatchShare
from ablations.running.training.processes.batch_norm import SharedBatchNorm

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes that train one trial together, seen from one of them.

    All of them call each method, in the same order: most wait for the others. A process by itself waits for nobody,
    and computes as it would without a group.

    Attributes:
        rank: of this process, from 0; the first one writes what is to be written.
        size: how many there are, from 1.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def own(self, images: int) -> slice:
        """Return which of so many images, in their order, are this process's; shares differ by one image at most."""
        return slice(images * self.rank // self.size, images * (self.rank + 1) // self.size)

    def share(self, batch: int, *, with_previous: bool = False) -> BatchShare:
        """Return this process's share of a batch.

        Args:
            batch: images of the whole batch.
            with_previous: whether to have the image before the first one, too; before the first of all is the last.

        Raises:
            StudyError: there are fewer images than processes.
        """
        if self.size == 1:
            return WHOLE
        check_shares(batch, self.size)
        own = self.own(batch)
        rows = torch.arange(own.start - with_previous, own.stop) % batch
        return BatchShare(batch, rows)

    def part(self, batch: int) -> float:
        """Return this process's part of a batch, from 0 to 1."""
        own = self.own(batch)
        images: int = own.stop - own.start
        return images / batch

    def together(self, model: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return the network as it is to be called in training: its gradients are averaged over the processes.

        Parameters without a gradient anywhere have none afterwards, as in one process.
        """
        if self.size == 1:
            return model
        return nn.parallel.DistributedDataParallel(model, static_graph=True)

    def batch_norms(self) -> AbstractContextManager[Any]:
        """Let batch norms in the block take their statistics over the whole batch."""
        return nullcontext() if self.size == 1 else SharedBatchNorm()

    def add_up(self, *values: Tensor) -> None:
        """Replace each tensor by its sum over the processes."""
        if self.size > 1:
            for value in values:
                dist.all_reduce(value)

    def agree(self, number: int) -> int:
        """Return the first process's number."""
        if self.size == 1:
            return number
        told = torch.tensor(number)
        dist.broadcast(told, src=0)
        return int(told)

    def from_first(self, make: Callable[[], T]) -> T:
        """Return what the first process makes; the others make nothing."""
        made: list[Any] = [make() if self.is_first else None]
        if self.size > 1:
            dist.broadcast_object_list(made, src=0, device=torch.device("cpu"))
        return made[0]  # type: ignore[no-any-return]

    def gathered(self, value: T) -> list[T]:
        """Return the values of all processes, by rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found


ALONE = Group()
"""One process that trains a trial by itself."""
