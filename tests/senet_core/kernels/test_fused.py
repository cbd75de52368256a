"""Fused passes against the plain code: in float64, at odd sizes, in every integration, and where they do not serve."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from senet_core import SEVariant, build_model, insert_se
from senet_core.backbones.preact_resnet import wide_resnet
from senet_core.backbones.senet154 import HalvedBottleneck
from senet_core.blocks.slots import INTEGRATIONS
from senet_core.kernel_hook import norm_add_relu, norm_relu
from senet_core.kernels import compiled
from senet_core.kernels.fused import fused_passes, passes, why_not
from senet_core.kernels.fused.functions import norm_act, norm_gate_add_act
from senet_core.kernels.fused.serving import serve

needs_compiler = pytest.mark.skipif(bool(why_not()), reason=f"no fused passes here: {why_not()}")
SHAPES = [
    (2, 16, 8, 8),
    (3, 5, 7, 9),
    (2, 1, 3, 5),
    (4, 33, 1, 2),
    (2, 24, 5, 1),
    (1, 8, 65, 67),
    (5, 64, 1, 1),
    (5, 48, 47, 48),  # large enough to be written around the caches
    (5, 20, 73, 73),  # with channels that do not fill vectors
]
TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2}


def maps(shape: tuple[int, ...], dtype: torch.dtype, count: int, mean: float = 0.0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(sum(shape))
    made = (torch.randn(shape, generator=generator) + mean for _ in range(count))
    return [x.to(dtype).contiguous(memory_format=torch.channels_last) for x in made]


def batch_norm(channels: int) -> nn.BatchNorm2d:
    bn = nn.BatchNorm2d(channels)
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        bn.weight.copy_(torch.rand(channels, generator=generator) + 0.5)
        bn.bias.copy_(torch.randn(channels, generator=generator) / 2)
    return bn


def outcome(
    function: Callable[..., Tensor],
    bn: nn.BatchNorm2d,
    inputs: list[Tensor],
    upstream: Tensor,
    *,
    fused: bool,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    """Return output, gradients and running statistics of function(bn, *inputs); in `dtype` where it is not fused."""
    kind = inputs[0].dtype if fused else dtype
    bn = copy.deepcopy(bn).double() if kind is torch.float64 else copy.deepcopy(bn)
    given = [x.detach().clone().to(kind).requires_grad_() for x in inputs]
    with fused_passes(fused):
        out = function(bn, *given)
    out.backward(upstream.to(kind))
    found = {"out": out.detach(), "weight": bn.weight.grad, "bias": bn.bias.grad}
    found |= {f"input {i}": x.grad for i, x in enumerate(given)}
    found |= {"running mean": bn.running_mean, "running variance": bn.running_var}
    assert int(bn.num_batches_tracked) == 1
    return {name: value.double() for name, value in found.items()}


def gate(z: Tensor) -> Tensor:
    mix = torch.linspace(-1, 1, z.shape[1] ** 2).view(z.shape[1], -1).to(z.dtype)
    return torch.sigmoid(z @ mix)


def gated(bn: nn.BatchNorm2d, x: Tensor, other: Tensor) -> Tensor:
    if serve(bn, x, other):
        return norm_gate_add_act(bn, x, gate, other)
    u = bn(x)
    return (u * gate(u.mean(dim=(2, 3)))[:, :, None, None] + other).relu()


def without_relu(bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    return norm_act(bn, x, relu=False) if serve(bn, x) else bn(x)


@needs_compiler
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("function", "inputs"),
    [(norm_relu, 1), (without_relu, 1), (norm_add_relu, 2), (gated, 2)],
    ids=["norm+relu", "norm", "norm+add+relu", "norm+gate+add+relu"],
)
def test_each_pass_agrees_with_float64(
    function: Callable[..., Tensor], inputs: int, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    *given, upstream = maps(shape, dtype, inputs + 1)
    bn = batch_norm(shape[1])
    exact = outcome(function, bn, given, upstream, fused=False)
    fused = outcome(function, bn, given, upstream, fused=True)
    plain = outcome(function, bn, given, upstream, fused=False, dtype=dtype)
    for name, expected in exact.items():
        scale = max(1.0, float(expected.abs().max()))
        error, usual = (float((found[name] - expected).abs().max()) / scale for found in (fused, plain))
        # a gate in bfloat16 is coarse by itself: no worse than the plain code is what can be asked
        assert error <= max(TOLERANCE[dtype], 2 * usual), f"{name}: {error} (plain: {usual})"


@needs_compiler
def test_statistics_survive_a_mean_far_from_zero() -> None:
    x, upstream = maps((4, 16, 9, 9), torch.float32, 2, mean=1000.0)
    bn = batch_norm(16)
    fused, plain = (outcome(norm_relu, bn, [x], upstream, fused=f) for f in (True, False))
    torch.testing.assert_close(fused["out"], plain["out"], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fused["running variance"], plain["running variance"], rtol=1e-5, atol=0)


@needs_compiler
@pytest.mark.parametrize("function", [norm_relu, norm_add_relu, gated])
def test_a_value_that_is_not_a_number_stays_one(function: Callable[..., Tensor]) -> None:
    x, other = maps((2, 16, 4, 4), torch.float32, 2)
    x[1, 3, 2, 2] = float("nan")
    with fused_passes():
        out = function(batch_norm(16), x, *([] if function is norm_relu else [other]))
    assert out[:, 3].isnan().all()


def trained(integration: str, squeeze: str, *, fused: bool, threads: int = 1, steps: int = 2) -> nn.Module:
    model = build_model("resnet8", SEVariant(integration=integration, squeeze=squeeze), num_classes=4, seed=3)
    model = model.to(memory_format=torch.channels_last)
    x = maps((8, 3, 13, 11), torch.float32, 1)[0]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for _ in range(steps):
            with fused_passes(fused):
                loss = model(x).square().mean()
            loss.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
                    parameter.grad = None
    finally:
        torch.set_num_threads(before)
    return model


@needs_compiler
@pytest.mark.parametrize("squeeze", ["avg", "max", "none"])
@pytest.mark.parametrize("integration", list(INTEGRATIONS))
def test_a_network_trains_as_without_fused_passes(integration: str, squeeze: str) -> None:
    fused, plain = (trained(integration, squeeze, fused=f).state_dict() for f in (True, False))
    assert list(fused) == list(plain)
    for name, value in plain.items():
        torch.testing.assert_close(
            fused[name], value, rtol=1e-3, atol=1e-4, msg=lambda text, n=name: f"{n}: {text}"
        )


def torchvisions(variant: SEVariant | None) -> nn.Module:
    return build_model("resnet18", variant, num_classes=4, seed=0)


def wide(variant: SEVariant | None) -> nn.Module:
    torch.manual_seed(0)
    return insert_se(wide_resnet(10, 1, num_classes=4), variant, seed=0)


def halved(variant: SEVariant | None) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("layer1", nn.Sequential(HalvedBottleneck(3, 128, 64, stride=2, projection=1)))
    return insert_se(model, variant, seed=0)


@needs_compiler
@pytest.mark.parametrize("variant", [None, SEVariant()], ids=["plain", "SE"])
@pytest.mark.parametrize("build", [torchvisions, wide, halved])
def test_other_backbones_have_the_same_gradients(
    build: Callable[[SEVariant | None], nn.Module], variant: SEVariant | None
) -> None:
    x = maps((8, 3, 33, 35), torch.float32, 1)[0]
    found = []
    for fused in (True, False):
        model = build(variant).to(memory_format=torch.channels_last)
        with fused_passes(fused):
            model(x).square().mean().backward()
        found.append({name: p.grad for name, p in model.named_parameters()})
    for name, plain in found[1].items():
        assert (found[0][name] - plain).norm() <= 2e-2 * plain.norm() + 1e-5, name


@needs_compiler
@pytest.mark.parametrize("integration", ["standard", "post"])
def test_two_trainings_are_equal_to_the_last_bit(integration: str) -> None:
    first, again = (trained(integration, "avg", fused=True).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)


@needs_compiler
def test_passes_do_not_depend_on_the_number_of_threads() -> None:
    x, other, upstream = maps((8, 32, 33, 33), torch.float32, 3)  # large enough to be shared among threads
    bn, before = batch_norm(32), torch.get_num_threads()
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found.append(outcome(gated, bn, [x, other], upstream, fused=True))
    torch.set_num_threads(before)
    # the gate itself is PyTorch's: only what it does not enter
    assert all(torch.equal(found[0][name], found[1][name]) for name in ("running mean", "running variance"))
    torch.testing.assert_close(found[0]["input 0"], found[1]["input 0"], rtol=1e-6, atol=1e-7)


@needs_compiler
def test_the_fused_path_is_really_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from senet_core.kernels.fused import functions

    taken: list[str] = []
    for name in ("norm_act", "norm_gate_add_act"):
        real = getattr(functions, name)
        monkeypatch.setattr(
            functions, name, lambda *a, real=real, name=name, **k: (taken.append(name), real(*a, **k))[1]
        )
    trained("standard", "avg", fused=True, steps=1)
    assert (taken.count("norm_act"), taken.count("norm_gate_add_act")) == (4, 3)
    taken.clear()
    trained("standard", "avg", fused=False, steps=1)
    assert not taken


def test_plain_code_runs_in_evaluation_in_copies_and_outside_of_the_switch() -> None:
    x = maps((2, 4, 3, 3), torch.float32, 1)[0]
    bn = batch_norm(4)
    assert not serve(bn, x)
    with fused_passes():
        assert not serve(copy.deepcopy(bn).eval(), x)
        assert not serve(bn, x.double())
        assert not serve(bn, x.contiguous())
        assert not serve(nn.BatchNorm2d(4, affine=False), x)
        assert not serve(nn.BatchNorm2d(4, momentum=None), x)
        assert not serve(bn, x[:1, :, :1, :1].contiguous(memory_format=torch.channels_last))
        hooked = copy.deepcopy(bn)
        hooked.register_forward_hook(lambda module, args, out: None)
        assert not serve(hooked, x)
    assert not serve(bn, x)


@needs_compiler
def test_a_compiled_and_an_exported_network_use_the_plain_code() -> None:
    model = build_model("resnet8", SEVariant(), num_classes=4, seed=0).to(memory_format=torch.channels_last)
    x = maps((2, 3, 8, 8), torch.float32, 1)[0]
    expected = copy.deepcopy(model)(x)
    with fused_passes():
        torch.compiler.reset()
        assert torch.equal(torch.compile(copy.deepcopy(model), backend="eager", fullgraph=True)(x), expected)
        exported = torch.export.export(copy.deepcopy(model), (x,), strict=False)
    assert "_NormAct" not in str(exported.graph)


def test_without_a_compiler_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(passes, "load", passes.load.__wrapped__)
    why_not.cache_clear()
    assert why_not() == "there is no C++ compiler (g++ or clang++)"
    why_not.cache_clear()


@needs_compiler
def test_a_compiler_that_fails_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "c++"
    bad.write_text("#!/bin/sh\n[ $1 = --version ] && exit 0\necho 'x.cpp:1: error: no space' >&2; exit 1\n")
    bad.chmod(0o755)
    monkeypatch.setenv("CXX", str(bad))
    monkeypatch.setenv("ABLATE_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(
        compiled.CannotCompile, match=r"c\+\+ cannot compile passes\.cpp: x\.cpp:1: error: no space"
    ):
        passes.load.__wrapped__()


@pytest.mark.slow
@needs_compiler
def test_processes_that_start_at_once_share_one_library(tmp_path: Path) -> None:
    code = "from senet_core.kernels.fused import why_not; print(repr(why_not()))"
    environment = {**os.environ, "ABLATE_CACHE_DIR": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in started] == ["''"] * 4
    assert len(list(tmp_path.glob("*.so"))) == 1


def test_the_key_of_the_library_names_processor_torch_and_source(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = (sys.executable,)  # anything that knows --version
    before = compiled._key(passes.SOURCE, compiler)
    monkeypatch.setattr(compiled, "_processor", lambda: "another")
    other_processor = compiled._key(passes.SOURCE, compiler)
    monkeypatch.setattr(torch, "__version__", "0.0")
    assert len({before, other_processor, compiled._key(passes.SOURCE, compiler)}) == 3
