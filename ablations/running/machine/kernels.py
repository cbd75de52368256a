"""Which computations of our own a trial trains with on a CPU, in the place of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
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
        wanted = {FUSED: self.fused, WINOGRAD: self.winograd} if device.type == "cpu" else {}
        found = {words: reason() for words, reason in _reasons().items() if wanted.get(words)}
        return {words: reason for words, reason in found.items() if reason}

    def put_into(self, model: nn.Module) -> None:
        """Let a network train with them, inside `passes`."""
        if self.winograd:
            from senet_core.kernels.winograd import use_winograd

            use_winograd(model)

    def take_out_of(self, model: nn.Module) -> None:
        """Undo `put_into`."""
        if self.winograd:
            from senet_core.kernels.winograd import without_winograd

            without_winograd(model)

    def passes(self) -> AbstractContextManager[None]:
        """Let networks that run inside use fused passes, if these are among them."""
        if not self.fused:
            return nullcontext()
        from senet_core.kernels.fused import fused_passes

        return fused_passes()

    def described(self) -> dict[str, bool]:
        """Return what the record says of them."""
        return asdict(self)


def _reasons() -> Mapping[str, Callable[[], str]]:
    """Return what says why there are none of a kind; none at all where the folder `senet_core/kernels` was removed."""
    try:
        from senet_core.kernels import fused, winograd
    except ModuleNotFoundError as error:
        if error.name != "senet_core.kernels":
            raise
        return dict.fromkeys((FUSED, WINOGRAD), lambda: "there is no senet_core.kernels")
    return {FUSED: fused.why_not, WINOGRAD: winograd.why_not}


ALL_KERNELS = Kernels()
NO_KERNELS = Kernels(fused=False, winograd=False)
