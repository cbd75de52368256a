"""The paper's gate network: two fully connected layers with a bottleneck between them."""

from __future__ import annotations

from torch import Tensor, nn


class Bottleneck(nn.Module):
    """Map descriptors to logits through a narrow hidden layer.

    Args:
        channels: descriptors in and logits out.
        width: units between the layers, at least 1.
        bias: whether the two layers have biases.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same. On a map, the layers act as 1x1 convolutions.

    Raises:
        ValueError: the width is below 1.
    Source: arXiv:1709.01507, equation 3: W2 relu(W1 z).
    """

    def __init__(self, channels: int, *, width: int, bias: bool) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be at least 1 unit, got {width!r}")
        self.fc1 = nn.Linear(channels, width, bias=bias)
        self.fc2 = nn.Linear(width, channels, bias=bias)

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        if z.dim() == 2:
            return self._logits(z)
        # channels last is a free view of a channels_last map, and one matrix product then serves all positions
        return self._logits(z.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def _logits(self, z: Tensor) -> Tensor:
        logits: Tensor = self.fc2(self.fc1(z).relu())
        return logits
