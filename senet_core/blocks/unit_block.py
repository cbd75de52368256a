"""UnitBlock: what stands in a unit of a network, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class UnitBlock(nn.Module):
    """Take a map and return one of the same shape.

    Attributes:
        channels: channels of the map.
        width: units of the bottleneck, where there is one.

    Shapes:
        x: (N, C, H, W); returns the same.
    """

    channels: int
    width: int

    @property
    def reads_width(self) -> bool:
        """Whether another width makes another block."""
        raise NotImplementedError

    def scale_add(
        self, x: Tensor, other: Tensor, *, after: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Compute `other` plus this block's output for `x`.

        Args:
            x: the map to weigh.
            other: what the weighed map is added to.
            after: acts on the weighed map before the addition, as stochastic depth does.

        Shapes:
            x, other: (N, C, H, W); returns the same.
        """
        y: Tensor = self(x)
        return other + (y if after is None else after(y))

    def extra_repr(self) -> str:
        """Return what the constructor was given, for `repr`."""
        return f"channels={self.channels}, width={self.width}"
