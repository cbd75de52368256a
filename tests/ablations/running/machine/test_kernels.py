"""Which kernels of our own a trial is computed with."""

import pytest
import torch

from ablations.running.machine import kernels
from ablations.running.machine.kernels import ALL_KERNELS, FUSED, WINOGRAD, Kernels

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "computes_bf16", "winograd"),
    [("fp32", False, True), ("fp32", True, True), ("bf16", False, True), ("bf16", True, False)],
)
def test_convolutions_in_float32_serve_bf16_where_the_processor_has_none(
    monkeypatch: pytest.MonkeyPatch, precision: str, computes_bf16: bool, winograd: bool
) -> None:
    monkeypatch.setattr(kernels, "processor_computes_bf16", lambda: computes_bf16)
    monkeypatch.setattr(kernels, "_reasons", lambda: {FUSED: str, WINOGRAD: str})
    assert ALL_KERNELS.available_on(CPU, precision) == Kernels(winograd=winograd)
    assert not Kernels(winograd=False).available_on(CPU, precision).winograd
