"""Excitation: the function that turns the gate network's output into one weight per channel.

An excitation is an elementwise function, or, where it has parameters, a module class built with the number
of channels. It replaces the last function of the gate only; the ReLU between the two layers stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import EXCITATIONS

if TYPE_CHECKING:
    from torch import Tensor


@EXCITATIONS.register("sigmoid", source="arXiv:1709.01507, equation 3 and Table 12")
def sigmoid_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between 0 and 1.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: arXiv:1709.01507, equation 3.
    """
    return logits.sigmoid()


@EXCITATIONS.register("relu", source="arXiv:1709.01507, Table 12")
def relu_excitation(logits: Tensor) -> Tensor:
    """Weigh channels from 0 upwards.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: arXiv:1709.01507, Table 12 (the paper finds it worse than no gate at all).
    """
    return logits.relu()


@EXCITATIONS.register("tanh", source="arXiv:1709.01507, Table 12")
def tanh_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between -1 and 1.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: arXiv:1709.01507, Table 12.
    """
    return logits.tanh()
