"""Gate initialisation: which weights a gate network starts from.

An entry takes a finished gate network and changes its parameters in place, with torch's generator only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import GATE_INITS

if TYPE_CHECKING:
    from torch import nn


@GATE_INITS.register(
    "torch", source="ours: torch's layers start so; arXiv:1709.01507 does not say how its gates start"
)
def as_built(network: nn.Module) -> None:
    """Leave the weights as they were built: uniform in +-1 / sqrt(inputs) for linear layers and convolutions."""


@GATE_INITS.register(
    "he-normal", source="arXiv:1502.01852, equation 10", differs="biases, which start at 0 there, too"
)
def he_normal(network: nn.Module) -> None:
    """Draw every matrix from a normal distribution of variance 2 / inputs, and set biases to 0.

    Source: He et al. 2015, arXiv:1502.01852, equation 10.
    """
    from torch.nn import init

    for layer in _layers(network):
        init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
        if layer.bias is not None:
            init.zeros_(layer.bias)  # type: ignore[arg-type]


@GATE_INITS.register(
    "zeros-last",
    source="arXiv:1706.02677, section 5.1 (the last layer of a branch starts at zero)",
    differs="there of a residual branch's batch norm",
)
def zeros_last(network: nn.Module) -> None:
    """Set the last layer, of each group where there are groups, to 0: every logit starts at 0, whatever the image.

    Gates without a layer, such as `srm`, stay as they are built.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 5.1, for residual branches.
    """
    from torch.nn import init

    from senet_core.blocks.gates.grouped import Grouped

    for branch in network.groups if isinstance(network, Grouped) else [network]:
        for last in _layers(branch)[-1:]:
            init.zeros_(last.weight)  # type: ignore[arg-type]
            if last.bias is not None:
                init.zeros_(last.bias)  # type: ignore[arg-type]


def _layers(network: nn.Module) -> list[nn.Module]:
    from torch import nn

    return [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
