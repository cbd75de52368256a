"""Our own CPU kernels that a trial trains with instead of PyTorch's: fused passes and Winograd's convolutions."""

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
    """The kernels that are wanted or, after `available_on`, used.

    Attributes:
        fused: whether the passes between convolutions are fused.
        winograd: whether 3x3 convolutions are computed by Winograd's algorithm, in float32.
    """

    fused: bool = True
    winograd: bool = True

    @classmethod
    def from_record(cls, environment: Mapping[str, Any]) -> Kernels:
        """Return the kernels of a recorded trial; a kernel that its record does not name was not used."""
        return cls(bool(environment.get("fused")), bool(environment.get("winograd")))

    def available_on(self, device: torch.device, precision: str) -> Kernels:
        """Return the wanted kernels that a device has for a precision; compiles them where needed."""
        if device.type != "cpu":
            return NO_KERNELS
        missing = self.missing(device)
        return Kernels(
            self.fused and FUSED not in missing,
            self.winograd and precision == "fp32" and WINOGRAD not in missing,
        )

    def missing(self, device: torch.device) -> Mapping[str, str]:
        """Return the names of wanted kernels that cannot be compiled, each with the reason; empty but on a CPU."""
        from senet_core.kernels import fused, winograd

        asked = (
            ((FUSED, self.fused, fused), (WINOGRAD, self.winograd, winograd)) if device.type == "cpu" else ()
        )
        found = {words: library.why_not() for words, wanted, library in asked if wanted}
        return {words: reason for words, reason in found.items() if reason}

    def install(self, model: nn.Module) -> None:
        """Make a network use the Winograd kernels, if they are among these."""
        from senet_core.kernels.winograd import use_winograd

        if self.winograd:
            use_winograd(model)

    @contextmanager
    def fused_passes(self) -> Iterator[None]:
        """Make networks that run inside the block use fused passes, if these are among them."""
        from senet_core.kernels.fused import fused_passes

        with fused_passes(self.fused):
            yield

    def to_json(self) -> dict[str, bool]:
        """Return the fields of a trial's environment in the record."""
        return asdict(self)


ALL_KERNELS = Kernels()
NO_KERNELS = Kernels(fused=False, winograd=False)
