"""The share of a batch that a process has where several train one trial: numbers are drawn for the whole batch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class BatchShare:
    """The images of a batch that are here.

    Attributes:
        batch: images of the whole batch; None where all of them are here.
        rows: places of those that are here, (images,) int64; None for all.
    """

    batch: int | None = None
    rows: Tensor | None = None

    def drawn_for(self, images: int) -> int:
        """Return for how many images numbers are drawn, so many being here: always for the whole batch."""
        return images if self.batch is None else self.batch

    def of(self, values: Tensor, dim: int = 0) -> Tensor:
        """Return what belongs to the images that are here, of values for the whole batch.

        Args:
            values: of every image, along one of their dimensions.
            dim: that dimension.
        """
        return values if self.rows is None else values.index_select(dim, self.rows)


WHOLE = BatchShare()
"""The whole batch, where one process trains a trial."""
