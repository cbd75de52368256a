"""WholeBlock: a registered block that is not made of squeeze, gate, excitation and fusion."""

from __future__ import annotations

from torch import Tensor

from senet_core.blocks.reads import block_reads_width
from senet_core.blocks.slots import BLOCKS
from senet_core.blocks.unit_block import UnitBlock
from senet_core.errors import UserError


class WholeBlock(UnitBlock):
    """Hold a registered block as `body`.

    Args:
        channels: channels of the map, at least 1.
        width: units of its bottleneck, at least 1; blocks without one do not read it.
        block: a registered block other than "se".

    Shapes:
        x: (N, C, H, W); returns the same.

    Raises:
        UserError: the name is not registered, or the block cannot be built for so many channels.
    """

    def __init__(self, channels: int, *, width: int, block: str) -> None:
        super().__init__()
        self.channels = channels
        self.width = width
        self.block = block
        self.body = BLOCKS[block].build(channels, width=width)

    @property
    def reads_width(self) -> bool:
        """Whether another width makes another block."""
        return block_reads_width(self.block)

    @property
    def says_gates(self) -> bool:
        """Whether the gates can be asked for: the module has a method weights."""
        return callable(getattr(self.body, "weights", None))

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates of a map.

        Shapes:
            x: (N, C, H, W); returns (N, C, 1, 1) or (N, C, H, W).

        Raises:
            UserError: the block does not say its gates.
        """
        if not self.says_gates:
            raise UserError(
                f"block {self.block!r} does not say its gates: its module has no method weights(x)"
            )
        found: Tensor = self.body.weights(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        y: Tensor = self.body(x)
        return y
