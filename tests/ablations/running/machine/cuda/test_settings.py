"""What is set before a trial computes on CUDA. The flags are PyTorch's own and can be read without a GPU."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import backends

from ablations.running.executors.process_pool import NETWORKS
from ablations.running.machine.cuda import device as cuda_device
from ablations.running.machine.cuda.determinism import WORKSPACE, noting_nondeterminism, reserve_workspace
from ablations.running.machine.cuda.device import (
    CUDA_FIELDS,
    describe_device,
    determinism_found,
    prepare_device,
)
from ablations.running.machine.cuda.precision import check_precision, float32_now, set_float32
from ablations.running.trials.worker import set_up
from senet_core.errors import UserError

CUBLAS = "but this operation is not deterministic because it uses CuBLAS"
GPU, CPU = torch.device("cuda"), torch.device("cpu")


def newer_flags() -> list[Any]:
    """The flags that torch has from 2.9 on."""
    new: Any = backends
    has = hasattr(backends.cuda.matmul, "fp32_precision")
    return [new.cuda.matmul, new.cudnn.conv, new.cudnn.rnn] if has else []


@pytest.fixture
def flags() -> Iterator[None]:
    """What a test sets is as it was after it."""
    old = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
    newer = newer_flags()
    new = [operations.fp32_precision for operations in newer]
    kept = backends.cudnn.deterministic, backends.cudnn.benchmark
    yield
    backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32 = old
    for operations, value in zip(newer, new, strict=True):
        operations.fp32_precision = value
    torch.use_deterministic_algorithms(False)
    backends.cudnn.deterministic, backends.cudnn.benchmark = kept


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch, flags: None) -> None:
    """As if there were a GPU."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(backends.cudnn, "version", lambda: 92400)
    monkeypatch.setattr(cuda_device, "driver_version", lambda: "580.82.07")
    monkeypatch.delenv(WORKSPACE, raising=False)


@pytest.mark.usefixtures("hopper")
@pytest.mark.parametrize(("precision", "rounding"), [("fp32", "ieee"), ("bf16", "ieee"), ("tf32", "tf32")])
def test_each_precision_sets_its_rounding_in_every_flag_and_says_so(precision: str, rounding: str) -> None:
    backends.cudnn.allow_tf32 = True  # as PyTorch begins
    said = prepare_device(GPU, precision)
    assert (said["fp32_matmul"], said["fp32_convolution"]) == (rounding, rounding)
    assert backends.cuda.matmul.allow_tf32 is backends.cudnn.allow_tf32 is (rounding == "tf32")
    assert {operations.fp32_precision for operations in newer_flags()} <= {rounding}
    assert torch.get_float32_matmul_precision() == {"ieee": "highest", "tf32": "high"}[rounding]


@pytest.mark.usefixtures("flags")
def test_a_torch_without_the_newer_flags_gets_the_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(
        cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)),
        cudnn=SimpleNamespace(allow_tf32=True),
    )
    monkeypatch.setattr(torch, "backends", old)
    set_float32("ieee")
    assert (float32_now(), old.cudnn.allow_tf32) == (
        {"fp32_matmul": "ieee", "fp32_convolution": "ieee"},
        False,
    )
    set_float32("tf32")
    assert float32_now() == {"fp32_matmul": "tf32", "fp32_convolution": "tf32"}
    assert vars(old.cuda.matmul) == {"allow_tf32": True}


@pytest.mark.usefixtures("hopper")
def test_algorithms_are_deterministic_and_the_record_says_what_decides_the_last_bits() -> None:
    environment = {**describe_device(GPU), **prepare_device(GPU, "fp32")}
    assert torch.are_deterministic_algorithms_enabled()
    assert (backends.cudnn.deterministic, backends.cudnn.benchmark) == (True, False)
    assert os.environ[WORKSPACE] == ":4096:8"
    assert environment == {
        "device": "NVIDIA H200",
        "torch_build": torch.__version__,
        "cuda": "13.0",
        "cudnn": "92400",
        "driver": "580.82.07",
        "capability": "9.0",
        "fp32_matmul": "ieee",
        "fp32_convolution": "ieee",
        "cublas_workspace": ":4096:8",
        "deterministic": True,
    }
    assert set(CUDA_FIELDS) == environment.keys() - {"device"}


def test_nothing_is_set_or_said_on_a_processor() -> None:
    before = float32_now(), torch.are_deterministic_algorithms_enabled(), backends.cudnn.deterministic
    assert prepare_device(CPU, "fp32") == prepare_device(CPU, "bf16") == {}
    assert describe_device(CPU) == {"device": "cpu"}
    assert before == (
        float32_now(),
        torch.are_deterministic_algorithms_enabled(),
        backends.cudnn.deterministic,
    )


def test_tf32_is_refused_where_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"precision 'tf32' is that of NVIDIA's .* would run on cpu here"):
        check_precision(CPU, "tf32")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(UserError, match="would run on Tesla T4 here; take 'fp32' or 'bf16'"):
        check_precision(GPU, "tf32")
    check_precision(GPU, "fp32")


def test_a_workspace_that_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKSPACE, ":16:8")
    reserve_workspace()
    assert os.environ[WORKSPACE] == ":16:8"


def test_no_workspace_is_claimed_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORKSPACE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    reserve_workspace()
    assert WORKSPACE not in os.environ


def test_a_worker_of_the_pool_or_of_ray_reserves_the_workspace_when_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker of another executor does so with its first trial, see `prepare_device`."""
    monkeypatch.delenv(WORKSPACE, raising=False)
    set_up(torch.get_num_threads(), NETWORKS)
    assert os.environ[WORKSPACE] == ":4096:8"


@pytest.mark.usefixtures("flags")
def test_operations_without_a_deterministic_form_are_noted_by_name_and_fail_nothing() -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    with pytest.warns(UserWarning, match="somebody else's"):  # noqa: SIM117, PT031
        with noting_nondeterminism() as without:
            torch.zeros(5).put_(torch.tensor([1]), torch.tensor([1.0]))
            warnings.warn("somebody else's", stacklevel=1)
            warnings.warn(f"Deterministic behavior was enabled, {CUBLAS} and you have CUDA", stacklevel=1)
    assert without == {"put_", "cuBLAS"}
    assert determinism_found(without) == {"deterministic": False, "not_deterministic": "cuBLAS, put_"}
    with noting_nondeterminism() as again:  # in the next trial of the same process, too
        torch.zeros(5).put_(torch.tensor([1]), torch.tensor([1.0]))
    assert again == {"put_"}
    assert determinism_found(()) == {}


@pytest.mark.parametrize(
    "text",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build  (root@host)",
    ],
)
def test_the_driver_says_its_version(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "_DRIVER_FILE", SimpleNamespace(read_text=lambda **_: text))
    assert cuda_device.driver_version.__wrapped__() == "535.104.05"
