"""Which computations of our own a trial trains with on a CPU, in the place of PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Kernels:
    """Which of them are wanted, or, after `on`, used.

    Attributes:
        fused: fused passes between convolutions.
        winograd: Winograd's convolutions, in float32.
    """

    fused: bool = True
    winograd: bool = True

    @classmethod
    def recorded(cls, environment: Mapping[str, Any]) -> Kernels:
        """Return those of a recorded trial; older records do not name what there was not yet."""
        return cls(bool(environment.get("fused")), bool(environment.get("winograd")))

    def on(self, device: torch.device) -> Kernels:
        """Return those that can be had on a device; they are compiled if they are not yet."""
        from senet_core import fused, winograd

        if device.type != "cpu":
            return NO_KERNELS
        return Kernels(self.fused and not fused.why_not(), self.winograd and not winograd.why_not())

    def why_not(self, device: torch.device) -> str:
        """Return why some that are wanted cannot be had on a CPU, in one line; empty where all can."""
        from senet_core import fused, winograd

        if device.type != "cpu":
            return ""
        return (self.fused and fused.why_not()) or (self.winograd and winograd.why_not()) or ""

    def put_into(self, model: nn.Module) -> None:
        """Let a network train with them, inside `passes`."""
        from senet_core.winograd import use_winograd

        if self.winograd:
            use_winograd(model)

    @contextmanager
    def passes(self) -> Iterator[None]:
        """Let networks that run inside use fused passes, if these are among them."""
        from senet_core.fused import fused_passes

        with fused_passes(self.fused):
            yield

    def described(self) -> dict[str, bool]:
        """Return what the record says of them."""
        return asdict(self)


ALL_KERNELS = Kernels()
NO_KERNELS = Kernels(fused=False, winograd=False)
