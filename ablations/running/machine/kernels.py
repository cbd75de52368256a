"""Our own CPU kernels that a trial trains with instead of PyTorch's: fused passes and Winograd's convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ablations.running.machine.processor import processor_computes_bf16

if TYPE_CHECKING:
    import torch
    from torch import nn


FUSED, WINOGRAD = "fused passes", "Winograd's convolutions"


@dataclass(frozen=True)
class Kernels:
    """The kernels that are wanted or, after `available_on`, used.

    Attributes:
        fused: whether the passes between convolutions are fused.
        winograd: whether 3x3 convolutions are computed by Winograd's algorithm, in float32; of bf16 trials those of
            rounded values, on a processor that does not compute in bf16.
    """

    fused: bool = True
    winograd: bool = True

    @classmethod
    def from_record(cls, environment: Mapping[str, Any]) -> Kernels:
        """Return the kernels of a recorded trial; a kernel that its record does not name was not used."""
        return cls(bool(environment.get("fused")), bool(environment.get("winograd")))

    def for_processes(self, processes: int) -> Kernels:
        """Return those that can be used where so many processes train a trial together.

        Fused passes take the statistics of batch norms over the images that one process has.
        """
        return self if processes == 1 else replace(self, fused=False)

    def available_on(self, device: torch.device, precision: str) -> Kernels:
        """Return the wanted kernels that a device has for a precision; compiles them where needed."""
        if device.type != "cpu":
            return NO_KERNELS
        missing = self.missing(device)
        return Kernels(
            self.fused and FUSED not in missing,
            self.winograd and winograd_serves(precision) and WINOGRAD not in missing,
        )

    def missing(self, device: torch.device) -> Mapping[str, str]:
        """Return those that are wanted and cannot be had on a CPU, in words, and why; what is not there is compiled."""
        wanted = {FUSED: self.fused, WINOGRAD: self.winograd} if device.type == "cpu" else {}
        found = {words: reason() for words, reason in _reasons().items() if wanted.get(words)}
        return {words: reason for words, reason in found.items() if reason}

    def install(self, model: nn.Module) -> None:
        """Let a network train with them, inside `passes`."""
        if self.winograd:
            from senet_core.kernels.winograd import use_winograd

            use_winograd(model)

    def take_out_of(self, model: nn.Module) -> None:
        """Undo `install`."""
        if self.winograd:
            from senet_core.kernels.winograd import without_winograd

            without_winograd(model)

    def fused_passes(self) -> AbstractContextManager[None]:
        """Let networks that run inside use fused passes, if these are among them."""
        if not self.fused:
            return nullcontext()
        from senet_core.kernels.fused import fused_passes

        return fused_passes()

    def to_json(self) -> dict[str, bool]:
        """Return the fields of a trial's environment in the record."""
        return {"fused": self.fused, "winograd": self.winograd}


def winograd_serves(precision: str) -> bool:
    """Return whether Winograd's convolutions in float32 are faster than what the processor has for a precision."""
    return precision == "fp32" or (precision == "bf16" and not processor_computes_bf16())


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
