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


@EXCITATIONS.register(
    "hard-sigmoid", source="arXiv:1905.02244, section 5.2 (MobileNetV3); arXiv:1911.06667 (eSE)"
)
def hard_sigmoid_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between 0 and 1 by straight lines: min(max(x + 3, 0), 6) / 6.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: Howard et al. 2019, arXiv:1905.02244, section 5.2.
    """
    return (logits + 3).clamp(0, 6) / 6


@EXCITATIONS.register(
    "softmax",
    source="ours: C times a softmax, for arXiv:1709.01507, section 3.2 (gates must not exclude each other)",
)
def softmax_excitation(logits: Tensor) -> Tensor:
    """Weigh channels against each other: the softmax over channels times their number, so that the mean weight is 1.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    """
    return logits.softmax(dim=1) * logits.shape[1]


@EXCITATIONS.register(
    "linear",
    source="ours: no function, for arXiv:1709.01507, section 3.2; arXiv:1904.11492 (GC block) has it",
)
def linear_excitation(logits: Tensor) -> Tensor:
    """Return the logits.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same.
    """
    return logits


@EXCITATIONS.register(
    "two-sigmoid", source="ours: twice arXiv:1709.01507, equation 3: a logit of 0 keeps the map"
)
def two_sigmoid_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between 0 and 2.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    """
    return 2 * logits.sigmoid()


@EXCITATIONS.register("one-plus-tanh", source="arXiv:1909.11519, equation 4 (gated channel transformation)")
def one_plus_tanh_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between 0 and 2, by 1 + tanh(x): a logit of 0 keeps the map, with a slope of 1.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: Yang et al. 2020, arXiv:1909.11519, equation 4.
    """
    return 1 + logits.tanh()


@EXCITATIONS.register(
    "gaussian",
    source="Ruan et al. 2021, Gaussian context transformer (CVPR), equation 6",
    differs="c = 2, fixed",
)
def gaussian_excitation(logits: Tensor) -> Tensor:
    """Weigh channels between 0 and 1 by exp(-x^2 / (2 c^2)) with c = 2: those near to the mean the most.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    Source: Ruan, Wang, Zheng and Zheng 2021, "Gaussian Context Transformer" (CVPR), equation 6.
    """
    return (logits.square() / -8).exp()


@EXCITATIONS.register(
    "elu-plus-one", source="ours: 1 + ELU (arXiv:1511.07289), positive and not bounded above"
)
def elu_plus_one_excitation(logits: Tensor) -> Tensor:
    """Weigh channels above 0: 1 + x from 0 upwards, exp(x) below.

    Shapes:
        logits: (N, C) or (N, C, H, W), dimensionless; returns the same shape.
    """
    return logits.clamp_min(0) + logits.clamp_max(0).exp()
