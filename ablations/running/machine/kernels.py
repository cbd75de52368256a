"""Which computations of our own a trial trains with on a CPU, in the place of PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


FUSED, WINOGRAD = "fused passes", "Winograd's convolutions"


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

    def on(self, device: torch.device, precision: str) -> Kernels:
        """Return those that a device can train with in a precision; they are compiled if they are not yet."""
        if device.type != "cpu":
            return NO_KERNELS
        missing = self.missing(device)
        return Kernels(
            self.fused and FUSED not in missing,
            self.winograd and precision == "fp32" and WINOGRAD not in missing,
        )

    def missing(self, device: torch.device) -> Mapping[str, str]:
        """Return those that are wanted and cannot be had on a CPU, in words, and why; what is not there is compiled."""
        from senet_core.kernels import fused, winograd

        asked = (
            ((FUSED, self.fused, fused), (WINOGRAD, self.winograd, winograd)) if device.type == "cpu" else ()
        )
        found = {words: library.why_not() for words, wanted, library in asked if wanted}
        return {words: reason for words, reason in found.items() if reason}

    def put_into(self, model: nn.Module) -> None:
        """Let a network train with them, inside `passes`."""
        from senet_core.kernels.winograd import use_winograd

        if self.winograd:
            use_winograd(model)

    @contextmanager
    def passes(self) -> Iterator[None]:
        """Let networks that run inside use fused passes, if these are among them."""
        from senet_core.kernels.fused import fused_passes

        with fused_passes(self.fused):
            yield

    def described(self) -> dict[str, bool]:
        """Return what the record says of them."""
        return asdict(self)


ALL_KERNELS = Kernels()
NO_KERNELS = Kernels(fused=False, winograd=False)
