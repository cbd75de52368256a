"""The compiled passes, on tensors: feature maps (N, C, H, W) in channels_last, in float32 or bfloat16."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from senet_core.kernels import compiled

SOURCE = Path(__file__).with_name("passes.cpp")
SIGNATURES = {
    "fused_norm": "lplllppddpppppppl",
    "fused_affine": "lppplplpllll",
    "fused_sums": "llpppppppppllll",
    "fused_gradient": "llpppppppplpllll",
    "fused_norm_gradient": "llppplllpppppppppl",
}

NO_MASK, BY_OUTPUT, BY_INPUT = 0, 1, 2
"""How the gradient of a ReLU is masked: not at all, by its output, or by its input computed again."""


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL:
    """Return the compiled passes.

    Raises:
        CannotCompile: they cannot be had here.
    """
    return compiled.load(SOURCE, SIGNATURES)


@dataclass(frozen=True)
class Norm:
    """A batch norm's statistics over one batch, norm(x) being `scale * x + shift`.

    Attributes:
        means: of every sample and channel, (N, C), float64.
        mean: of every channel, (C,), float32.
        inverse: 1 / standard deviation, (C,), float64.
        scale, shift: (C,), float32.
    """

    means: Tensor
    mean: Tensor
    inverse: Tensor
    scale: Tensor
    shift: Tensor


def _sizes(x: Tensor) -> tuple[int, int, int]:
    batch, channels, height, width = x.shape
    return batch, height * width, channels


def _at(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def normalise(x: Tensor, bn: nn.BatchNorm2d) -> Norm:
    """Compute the statistics of a batch, and update the running statistics of its batch norm."""
    batch, positions, channels = _sizes(x)
    wide = torch.empty((batch + 1) * channels, dtype=torch.float64, device=x.device)
    narrow = torch.empty(3 * channels, dtype=torch.float32, device=x.device)
    means, inverse = wide[: batch * channels].view(batch, channels), wide[batch * channels :]
    mean, scale, shift = narrow.view(3, channels).unbind()
    assert bn.running_mean is not None
    assert bn.running_var is not None
    assert bn.num_batches_tracked is not None
    load().fused_norm(
        x.dtype is torch.bfloat16,
        _at(x),
        batch,
        positions,
        channels,
        _at(bn.weight),
        _at(bn.bias),
        bn.eps,
        bn.momentum,
        _at(bn.running_mean),
        _at(bn.running_var),
        _at(means),
        _at(mean),
        _at(inverse),
        _at(scale),
        _at(shift),
        torch.get_num_threads(),
    )
    bn.num_batches_tracked.add_(1)
    return Norm(means, mean, inverse, scale, shift)


def affine(x: Tensor, scale: Tensor, shift: Tensor, *, other: Tensor | None = None, relu: bool) -> Tensor:
    """Compute relu(scale * x + shift + other); the coefficients are float32, (C,) or (N, C)."""
    out = torch.empty_like(x)
    load().fused_affine(
        x.dtype is torch.bfloat16,
        _at(x),
        _at(scale),
        _at(shift),
        scale.dim() == 2,
        _at(other),
        relu,
        _at(out),
        *_sizes(x),
        torch.get_num_threads(),
    )
    return out


def sums(
    grad: Tensor, x: Tensor, norm: Norm, *, mask: int, out: Tensor | None = None, passed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Sum the masked gradient, and the masked gradient times (x - mean), over positions.

    Args:
        grad: of what the ReLU returned, or of the normalised map where there is none.
        x: what was normalised.
        norm: of x.
        mask: NO_MASK, BY_OUTPUT (of `out`) or BY_INPUT (norm(x)).
        out: what the ReLU returned.
        passed: takes the masked gradient.

    Returns:
        Both sums, (N, C), float64.
    """
    batch, positions, channels = _sizes(x)
    ones, centred = torch.empty(2, batch, channels, dtype=torch.float64).unbind()
    load().fused_sums(
        x.dtype is torch.bfloat16,
        mask,
        _at(grad),
        _at(out),
        _at(x),
        _at(norm.scale),
        _at(norm.shift),
        _at(norm.mean),
        _at(passed),
        _at(ones),
        _at(centred),
        batch,
        positions,
        channels,
        torch.get_num_threads(),
    )
    return ones, centred


def gradient(grad: Tensor, x: Tensor, norm: Norm, p: Tensor, q: Tensor, r: Tensor, *, mask: int) -> Tensor:
    """Compute p * masked gradient + q * (x - mean) + r; p and r are both (C,) or both (N, C), q is (C,)."""
    result = torch.empty_like(x)
    p, q, r = p.float().contiguous(), q.float().contiguous(), r.float().contiguous()
    load().fused_gradient(
        x.dtype is torch.bfloat16,
        mask,
        _at(grad),
        _at(x),
        _at(norm.scale),
        _at(norm.shift),
        _at(norm.mean),
        _at(p),
        _at(q),
        _at(r),
        p.dim() == 2,
        _at(result),
        *_sizes(x),
        torch.get_num_threads(),
    )
    return result


def norm_gradient(
    grad: Tensor,
    x: Tensor,
    norm: Norm,
    weight: Tensor,
    *,
    mask: int,
    out: Tensor | None = None,
    passed: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the gradients of a batch norm's input, weight and bias; arguments as for `sums`."""
    batch, positions, channels = _sizes(x)
    dx = torch.empty_like(x)
    dweight, dbias = torch.empty_like(weight), torch.empty_like(weight)
    load().fused_norm_gradient(
        x.dtype is torch.bfloat16,
        mask,
        _at(grad),
        _at(out),
        _at(x),
        batch,
        positions,
        channels,
        _at(weight),
        _at(norm.scale),
        _at(norm.shift),
        _at(norm.mean),
        _at(norm.inverse),
        _at(passed),
        _at(dweight),
        _at(dbias),
        _at(dx),
        torch.get_num_threads(),
    )
    return dx, dweight, dbias
