"""The paper's gate network: two fully connected layers with a bottleneck between them."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.blocks.gates.positions import at_positions


class Bottleneck(nn.Module):
    """Map descriptors to logits through a narrow hidden layer.

    Args:
        channels: descriptors in and logits out.
        width: units between the layers, at least 1.
        bias: whether the two layers have biases.
        rectified: whether a ReLU stands between them.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same. On a map, the layers act as 1x1 convolutions.

    Raises:
        ValueError: the width is below 1.
    Source: arXiv:1709.01507, equation 3: W2 relu(W1 z).
    """

    def __init__(self, channels: int, *, width: int, bias: bool, rectified: bool = True) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be at least 1 unit, got {width!r}")
        self.fc1 = nn.Linear(channels, width, bias=bias)
        self.fc2 = nn.Linear(width, channels, bias=bias)
        self.rectified = rectified

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(self._logits, z)

    def _logits(self, z: Tensor) -> Tensor:
        hidden: Tensor = self.fc1(z)
        logits: Tensor = self.fc2(hidden.relu() if self.rectified else hidden)
        return logits
