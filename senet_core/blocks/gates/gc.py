"""The transform of a GC block: a bottleneck with a layer norm."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.blocks.gates.positions import at_positions
from senet_core.errors import UserError


class ContextTransform(nn.Module):
    """Compute W2 relu(LN(W1 z)).

    Args:
        channels: descriptors in and logits out.
        width: units between the layers, at least 2.
        bias: whether the two layers have biases; the layer norm has a scale and a bias of its own.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Raises:
        UserError: the width is 1, and the layer norm would make a constant of it.
    Source: Cao et al. 2019, arXiv:1904.11492, section 3.3 and equation 5.
    """

    def __init__(self, channels: int, *, width: int, bias: bool) -> None:
        super().__init__()
        if width < 2:
            raise UserError(
                f"gate 'gc' normalises over its units, and of {width} it would make a constant: at {channels} channels"
                f" take a reduction of at most {max(1, channels // 2)}"
            )
        self.fc1 = nn.Linear(channels, width, bias=bias)
        self.norm = nn.LayerNorm(width)
        self.fc2 = nn.Linear(width, channels, bias=bias)

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(self._logits, z)

    def _logits(self, z: Tensor) -> Tensor:
        logits: Tensor = self.fc2(self.norm(self.fc1(z)).relu())
        return logits
