"""The SE block: squeeze, gate network, excitation, and the scaling of the map."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn

from senet_core.blocks.registry import Entry
from senet_core.blocks.slots import EXCITATIONS, GATES, SQUEEZES


class SEBlock(nn.Module):
    """Scale each channel of a map by a weight computed from the whole map.

    Args:
        channels: channels of the map, at least 1.
        width: units of the gate's bottleneck, at least 1. A reduction ratio becomes a width in one place
            only, `SEVariant.width`, so that no rounding hides here.
        squeeze: a registered squeeze.
        excitation: a registered excitation.
        gate: a registered gate network.
        bias: whether the gate's layers have biases.

    Shapes:
        x: (N, C, H, W); returns the same.

    Raises:
        UserError: a name is not registered.
    Source: arXiv:1709.01507, equations 2 to 4.
    """

    def __init__(
        self,
        channels: int,
        *,
        width: int,
        squeeze: str = "avg",
        excitation: str = "sigmoid",
        gate: str = "bottleneck",
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.width = width
        self.gate = gate
        self.squeeze = _with_channels(SQUEEZES[squeeze], channels)
        self.network = GATES[gate].build(channels, width=width, bias=bias)
        self.excitation = _with_channels(EXCITATIONS[excitation], channels)

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates of a map.

        Shapes:
            x: (N, C, H, W); returns (N, C, 1, 1), or (N, C, H, W) where the squeeze keeps positions.
        """
        gates = self.gates(self.squeeze(x))
        return gates[:, :, None, None] if gates.dim() == 2 else gates

    def gates(self, squeezed: Tensor) -> Tensor:
        """Compute the gates from what the squeeze returned; same shape."""
        gates: Tensor = self.excitation(self.network(squeezed))
        return gates

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of a map."""
        return x * self.weights(x)

    def scale_add(
        self, x: Tensor, other: Tensor, *, after: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Compute `other + x * weights(x)` in one pass over memory.

        Args:
            x: the map to weigh.
            other: what the weighed map is added to.
            after: acts on the weighed map before the addition, as stochastic depth does.

        Shapes:
            x, other: (N, C, H, W); returns the same.
        """
        gates = self.weights(x)
        if after is not None:
            return other + after(x * gates)
        if x.dtype == gates.dtype == other.dtype:
            return torch.addcmul(other, x, gates)
        # autocast may leave the three in different types; torch 2.14's addcmul promotes them, older releases
        # were not tried, and plain arithmetic does in every one
        return other + x * gates

    def extra_repr(self) -> str:
        """Return what the constructor was given, for `repr`."""
        return f"channels={self.channels}, width={self.width}"


def _with_channels(entry: Entry, channels: int) -> Callable[[Tensor], Tensor]:
    """Return what is called on a tensor: an instance of a class, or a function as it is."""
    has_state = inspect.isclass(entry.build)
    built: Callable[[Tensor], Tensor] = entry.build(channels) if has_state else entry.build
    return built
