"""Squeezes by another number than the mean: norms, deviations, several at once, the largest positions, energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import SQUEEZES
from senet_core.blocks.squeezes.paper import average_squeeze

if TYPE_CHECKING:
    from torch import Tensor

EPS = 1e-5
"""Under every root: roots have no finite slope at 0, and ReLU leaves dead channels. The authors' code of SRM and of
GCT has the same number."""
ENERGY_FLOOR = 1e-4
"""SimAM's lambda."""


@SQUEEZES.register("l2", source="arXiv:1909.11519, equation 2")
def norm_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its Euclidean norm: sqrt(sum of x^2 + 1e-5).

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.
    Source: Yang et al. 2020, arXiv:1909.11519, equation 2; its alpha stands in gate `gct`.
    """
    return (x.square().sum(dim=(2, 3)) + EPS).sqrt()


@SQUEEZES.register(
    "std",
    source="arXiv:1903.10829, equation 2",
    differs="of H W positions, as the equation says; the authors' code divides by H W - 1",
)
def deviation_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its standard deviation over positions, sqrt(variance + 1e-5).

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.
    Source: Lee, Kim and Nam 2019, arXiv:1903.10829, equation 2.
    """
    return (x.var(dim=(2, 3), correction=0) + EPS).sqrt()


@SQUEEZES.register(
    "mean-std",
    descriptors=2,
    source="arXiv:1903.10829, equations 1 and 2 (style pooling)",
    differs="deviations of H W positions; the authors' code divides by H W - 1",
)
def style_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its mean and its standard deviation.

    Shapes:
        x: (N, C, H, W); returns (N, 2, C), in the units of x.
    Source: Lee, Kim and Nam 2019, arXiv:1903.10829, equations 1 and 2.
    """
    import torch

    return torch.stack([average_squeeze(x), deviation_squeeze(x)], dim=1)


@SQUEEZES.register("avg-max", descriptors=2, source="arXiv:1807.06521, equation 2 (CBAM's channel part)")
def average_and_maximum_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its mean and its maximum; a gate of one descriptor serves both, and adds the logits.

    Shapes:
        x: (N, C, H, W); returns (N, 2, C), in the units of x.
    Source: Woo et al. 2018, arXiv:1807.06521, equation 2.
    """
    import torch

    return torch.stack([average_squeeze(x), x.amax(dim=(2, 3))], dim=1)


@SQUEEZES.register(
    "top-quarter", source="ours: between the mean and the maximum of arXiv:1709.01507, Table 11"
)
def top_quarter_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by the mean of the largest quarter of its positions, at least one.

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.
    """
    positions = x.shape[2] * x.shape[3]
    return x.flatten(2).topk(-(-positions // 4), dim=2).values.mean(dim=2)


@SQUEEZES.register(
    "simam",
    source="Yang et al. 2021, SimAM (ICML), equation 5",
    differs="the variance is of H W positions, as under equation 4; the authors' code divides by H W - 1",
)
def energy_squeeze(x: Tensor) -> Tensor:
    """Give each position the inverse of its energy: (x - mean)^2 / (4 (variance + 1e-4)) + 1/2.

    With gate `identity` and excitation `sigmoid`, the block is SimAM.

    Shapes:
        x: (N, C, H, W); returns the same, dimensionless, at least 1/2.
    Source: Yang, Zhang, Li and Xie 2021, "SimAM: A Simple, Parameter-Free Attention Module", equation 5.
    """
    apart = (x - x.mean(dim=(2, 3), keepdim=True)).square()
    return apart / (4 * (apart.mean(dim=(2, 3), keepdim=True) + ENERGY_FLOOR)) + 0.5
