"""After some of CUDA's errors a process is of no more use; no other error costs a worker."""

from __future__ import annotations

import pytest
import torch

from ablations.running.machine.cuda import lost_context
from ablations.running.machine.cuda.lost_context import loses_context, lost_by, note_lost_context


class AcceleratorError(RuntimeError):
    """Named as torch's, which is new in torch 2.8."""


LOST = [
    RuntimeError(
        "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"
    ),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    AcceleratorError("unspecified launch failure"),
]


@pytest.mark.parametrize("error", LOST, ids=str)
def test_an_error_of_cuda_loses_the_context_however_it_is_wrapped(error: Exception) -> None:
    assert loses_context(error)
    wrapped = ValueError("a layer failed")
    wrapped.__cause__ = error
    assert loses_context(wrapped)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        ValueError("device-side assert is what I call this"),
        MemoryError(),
    ],
    ids=repr,
)
def test_other_errors_do_not(error: Exception) -> None:
    assert not loses_context(error)


def test_the_first_error_is_remembered_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_context, "_first_error", "")
    note_lost_context(ValueError("no"))
    assert lost_by() == ""
    for error in LOST[:2]:
        note_lost_context(error)
    assert lost_by() == "CUDA error: device-side assert triggered"
