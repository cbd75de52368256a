"""The SE block: squeeze, gate network, excitation, and the fusion of gates and map."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from senet_core.blocks.fusion import scale
from senet_core.blocks.reads import gate_reads_width
from senet_core.blocks.registry import Entry
from senet_core.blocks.slots import EXCITATIONS, FUSIONS, GATES, SQUEEZES
from senet_core.blocks.unit_block import UnitBlock


class SEBlock(UnitBlock):
    """Scale each channel of a map by a weight computed from the whole map.

    Args:
        channels: channels of the map, at least 1.
        width: units of the gate's bottleneck, at least 1. A reduction ratio becomes a width in one place
            only, `SEVariant.width`, so that no rounding hides here.
        squeeze: a registered squeeze.
        excitation: a registered excitation.
        gate: a registered gate network.
        bias: whether the gate's layers have biases.
        fusion: a registered fusion.
        opening: where a learned bias of the logits starts, one for each channel; None for no such bias.

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
        fusion: str = "scale",
        opening: float | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.width = width
        self.gate = gate
        self.squeeze = _with_channels(SQUEEZES[squeeze], channels)
        self.network = GATES[gate].build(channels, width=width, bias=bias)
        self.excitation = _with_channels(EXCITATIONS[excitation], channels)
        self.fusion: Callable[[Tensor, Tensor], Tensor] = FUSIONS[fusion].build
        self.opening = None if opening is None else nn.Parameter(torch.full((channels,), float(opening)))
        self._apart = SQUEEZES[squeeze].traits["descriptors"] > 1 and GATES[gate].traits["descriptors"] == 1

    @property
    def reads_width(self) -> bool:
        """Whether another width makes another block."""
        return gate_reads_width(self.gate)

    @property
    def scales(self) -> bool:
        """Whether the gates multiply the map."""
        return self.fusion is scale

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates of a map.

        Shapes:
            x: (N, C, H, W); returns (N, C, 1, 1), or (N, C, H, W) where the squeeze keeps positions.
        """
        gates = self.gates(self.squeeze(x))
        if gates.dtype is torch.float32 and x.dtype is not torch.float32:
            # autocast computes roots and norms in float32; a map must not grow by them
            gates = gates.to(x.dtype)
        if gates.dim() == 2:
            return gates[:, :, None, None]
        # of tiles; the nearest of a 1x1 convolution is the 1x1 convolution of the nearest
        return gates if gates.shape[2:] == x.shape[2:] else interpolate(gates, x.shape[2:], mode="nearest")

    def gates(self, squeezed: Tensor) -> Tensor:
        """Compute the gates from what the squeeze returned.

        Shapes:
            squeezed: (N, C), (N, k, C) or (N, C, H, W); returns (N, C) or (N, C, H, W).
        """
        logits: Tensor = (
            torch.stack([self.network(z) for z in squeezed.unbind(1)]).sum(0)
            if self._apart
            else self.network(squeezed)
        )
        if self.opening is not None:
            logits = logits + (self.opening if logits.dim() == 2 else self.opening[:, None, None])
        gates: Tensor = self.excitation(logits)
        return gates

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of a map."""
        return self.fusion(x, self.weights(x))

    def scale_add(
        self, x: Tensor, other: Tensor, *, after: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Compute `other` plus the weighed map in one pass over memory, where the fusion scales.

        Args:
            x: the map to weigh.
            other: what the weighed map is added to.
            after: acts on the weighed map before the addition, as stochastic depth does.

        Shapes:
            x, other: (N, C, H, W); returns the same.
        """
        gates = self.weights(x)
        if after is not None:
            return other + after(self.fusion(x, gates))
        if self.scales and x.dtype == gates.dtype == other.dtype:
            return torch.addcmul(other, x, gates)
        # autocast may leave the three in different types; torch 2.14's addcmul promotes them, older releases
        # were not tried, and plain arithmetic does in every one
        return other + self.fusion(x, gates)


def _with_channels(entry: Entry, channels: int) -> Callable[[Tensor], Tensor]:
    """Return what is called on a tensor: what a class or factory makes, or a function as it is."""
    has_state = inspect.isclass(entry.build) or entry.traits["factory"]
    built: Callable[[Tensor], Tensor] = entry.build(channels) if has_state else entry.build
    return built
