"""How CUDA rounds what it computes in float32: fully, or to TF32's ten bits where a trial says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from senet_core.errors import UserError

if TYPE_CHECKING:
    import torch

TF32_CAPABILITY = (8, 0)
"""The first compute capability with TF32: Ampere's."""


def check_precision(device: torch.device, precision: str) -> None:
    """Refuse a precision that a device does not have.

    Raises:
        UserError: it has no TF32.
    """
    import torch

    if precision != "tf32":
        return
    has = device.type == "cuda" and torch.cuda.get_device_capability(device) >= TF32_CAPABILITY
    if not has:
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        raise UserError(
            "precision 'tf32' is that of NVIDIA's GPUs from Ampere on (compute capability 8.0), and trials would run on"
            f" {where} here; take 'fp32' or 'bf16', or a machine with such a GPU"
        )


def set_float32(rounding: str) -> None:
    """Set how matrix products and convolutions of float32 numbers are rounded on CUDA.

    Unless it is set, PyTorch lets cuDNN compute convolutions in TF32, and matrix products not.

    Args:
        rounding: "ieee" for all 23 bits, "tf32" for 10.
    """
    from torch import backends

    # The older flags first, which set some of the newer ones: whoever reads either kind, as torch.compile reads the
    # older, then finds the same. PyTorch refuses to read one kind where the other says something else.
    backends.cuda.matmul.allow_tf32 = rounding == "tf32"
    backends.cudnn.allow_tf32 = rounding == "tf32"
    if hasattr(backends.cuda.matmul, "fp32_precision"):  # from torch 2.9 on
        cudnn: Any = backends.cudnn  # its stubs are those of the older flags
        for operations in (backends.cuda.matmul, cudnn.conv, cudnn.rnn):
            operations.fp32_precision = rounding


def float32_now() -> dict[str, str]:
    """Return how matrix products and convolutions of float32 numbers are rounded now, as PyTorch says it."""
    from torch import backends

    allowed = {"fp32_matmul": backends.cuda.matmul.allow_tf32, "fp32_convolution": backends.cudnn.allow_tf32}
    return {field: "tf32" if yes else "ieee" for field, yes in allowed.items()}
