"""Winograd's convolutions against PyTorch's: in float64, at odd sizes, in networks, and where they do not serve."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core import SEVariant, build_model
from senet_core.blocks.slots import INTEGRATIONS
from senet_core.kernels.winograd import (
    WinogradConv2d,
    saves_products,
    use_winograd,
    why_not,
    without_winograd,
)
from senet_core.kernels.winograd.convolution import convolve

needs_compiler = pytest.mark.skipif(bool(why_not()), reason=f"no Winograd's convolutions here: {why_not()}")
SIZES = [(8, 8), (4, 4), (7, 9), (1, 1), (3, 17), (13, 2), (33, 31)]
CHANNELS = [(16, 16), (32, 16), (16, 64), (48, 80), (64, 64)]


def layer(into: int, out: int, *, stride: int = 1) -> nn.Conv2d:
    torch.manual_seed(into + out)
    conv = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False)
    return conv.to(memory_format=torch.channels_last)


def image(channels: int, height: int, width: int, *, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(channels * height + width)
    x = torch.randn(batch, channels, height, width, generator=generator)
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


def gradients(function, x: Tensor, weight: Tensor, upstream: Tensor) -> list[Tensor]:
    x, weight = (value.detach().clone().requires_grad_() for value in (x, weight))
    out = function(x, weight)
    out.backward(upstream.to(out.dtype))
    return [value.detach().double() for value in (out, x.grad, weight.grad)]


@needs_compiler
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("into", "out"), CHANNELS)
def test_output_and_gradients_agree_with_float64(
    into: int, out: int, size: tuple[int, int], stride: int
) -> None:
    x, weight = image(into, *size), layer(into, out, stride=stride).weight

    def usual(x: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(x, weight, stride=stride, padding=1)

    shape = usual(x, weight).shape
    upstream = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    exact = gradients(usual, x.double(), weight.double(), upstream)
    ours = gradients(lambda x, weight: convolve(x, weight, stride), x, weight, upstream)
    for name, found, expected in zip(("output", "dx", "dw"), ours, exact, strict=True):
        assert found.shape == expected.shape
        error = float((found - expected).abs().max() / expected.abs().max())
        assert error < 1e-5, f"{name}: {error}"


@needs_compiler
def test_several_threads_compute_the_same() -> None:
    x, conv, before = image(32, 9, 11, batch=7), layer(32, 48), torch.get_num_threads()
    upstream = torch.randn(7, 48, 9, 11)
    found = []
    for threads in (1, 3, 16):
        torch.set_num_threads(threads)
        found.append(gradients(lambda x, weight: convolve(x, weight, 1), x, conv.weight, upstream))
    torch.set_num_threads(before)
    for several in found[1:]:
        assert torch.equal(several[0], found[0][0])
        assert torch.equal(several[1], found[0][1])
        # weights' gradients are summed by thread
        assert float((several[2] - found[0][2]).abs().max() / found[0][2].abs().max()) < 1e-5


@needs_compiler
@pytest.mark.parametrize("stride", [1, 2])
def test_in_bf16_they_round_where_arithmetic_in_bf16_does(stride: int) -> None:
    """Inputs before, outputs and gradients after; what is rounded is exact but for float32's own rounding."""
    x, conv = image(32, 16, 16), layer(32, 48, stride=stride)
    upstream = torch.randn(conv(x).shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    inputs = (value.bfloat16().double() for value in (x, conv.weight))
    exact = gradients(lambda x, weight: F.conv2d(x, weight, stride=stride, padding=1), *inputs, upstream)
    use_winograd(nn.Sequential(conv))
    for given in (x, x.bfloat16()):  # a bf16 map comes from the layer before
        own, conv.weight.grad = given.detach().clone().requires_grad_(), None
        with torch.autocast("cpu", torch.bfloat16):
            out = conv(own)
        assert out.dtype is torch.bfloat16
        out.backward(upstream)
        ours = (out, own.grad, conv.weight.grad)
        for name, found, expected in zip(("output", "dx", "dw"), ours, exact, strict=True):
            apart = (found.detach().double() != expected.bfloat16().double()).double().mean()
            assert apart < 0.01, f"{name}: {apart:.1%} of the values are not the nearest in bfloat16"


@needs_compiler
def test_a_value_that_is_not_a_number_stays_one() -> None:
    x = image(16, 8, 8).detach()
    x[1, 3, 2, 2] = float("nan")
    out = convolve(x, layer(16, 16).weight, 1)
    assert out[1, :, 1:4, 1:4].isnan().all()
    assert not out[0].isnan().any()


def trained(variant: SEVariant | None, *, winograd: bool, backbone: str = "resnet8") -> nn.Module:
    model = build_model(backbone, variant, num_classes=4, seed=3).to(memory_format=torch.channels_last)
    if winograd:
        use_winograd(model)
    x = image(3, 29, 27, batch=8).detach()
    for _ in range(2):
        model(x).square().mean().backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
                parameter.grad = None
    return model


@needs_compiler
@pytest.mark.parametrize("integration", list(INTEGRATIONS))
def test_a_network_trains_as_without(integration: str) -> None:
    variant = SEVariant(integration=integration)
    ours, usual = (trained(variant, winograd=w).state_dict() for w in (True, False))
    assert list(ours) == list(usual)
    for name, value in usual.items():
        torch.testing.assert_close(
            ours[name], value, rtol=1e-3, atol=1e-4, msg=lambda text, n=name: f"{n}: {text}"
        )


@needs_compiler
def test_two_trainings_are_equal_to_the_last_bit() -> None:
    first, again = (trained(SEVariant(), winograd=True).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)


@needs_compiler
def test_every_convolution_that_they_serve_is_computed_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from senet_core.kernels.winograd import convolution

    strides: list[int] = []
    real = convolution.convolve
    monkeypatch.setattr(
        convolution, "convolve", lambda x, w, stride: (strides.append(stride), real(x, w, stride))[1]
    )
    model = use_winograd(build_model("resnet20", SEVariant(), num_classes=4, seed=0))
    model = model.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    model(x)
    assert (strides.count(1), strides.count(2)) == (16, 2)  # all but the first, which has 3 channels
    with torch.no_grad():
        model.eval()(x)
    assert (strides.count(1), strides.count(2)) == (32, 4)  # a test, too
    strides.clear()
    with torch.autocast("cpu", torch.bfloat16):
        model(x)
    assert (strides.count(1), strides.count(2)) == (16, 2)  # in bf16, too
    strides.clear()
    with torch.autocast("cpu", torch.float16):
        model(x)
    model.double()(x.double())
    without_winograd(copy.deepcopy(model)).float()(x)
    assert not strides
    model.float()(x.contiguous())  # the first convolution makes its output channels_last, by its weights
    assert (strides.count(1), strides.count(2)) == (16, 2)


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(16, 16, 3, padding=1),  # with a bias
        nn.Conv2d(16, 16, 3, padding=1, groups=2, bias=False),
        nn.Conv2d(16, 16, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(16, 16, 3, bias=False),
        nn.Conv2d(16, 16, 3, padding=1, padding_mode="reflect", bias=False),
        nn.Conv2d(16, 16, 3, padding="same", bias=False),
        nn.Conv2d(16, 16, 5, padding=2, bias=False),
        nn.Conv2d(16, 16, 3, stride=3, padding=1, bias=False),
        nn.Conv2d(16, 24, 3, padding=1, bias=False),
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.Conv2d(512, 512, 3, padding=1, bias=False),
        nn.ConvTranspose2d(16, 16, 3, padding=1, bias=False),
    ],
    ids=str,
)
def test_other_convolutions_are_left_alone(other: nn.Module) -> None:
    before = copy.deepcopy(other)
    use_winograd(nn.Sequential(other))
    assert type(other) is type(before)


@needs_compiler
def test_names_weights_and_hooks_stay() -> None:
    conv = layer(16, 16)
    weight, called = conv.weight, []
    conv.register_forward_hook(lambda module, args, out: called.append(out.shape))
    model = use_winograd(nn.Sequential(conv))
    assert isinstance(conv, WinogradConv2d)
    assert isinstance(copy.deepcopy(model)[0], WinogradConv2d)
    assert list(model.state_dict()) == ["0.weight"]
    assert conv.weight is weight
    model(image(16, 8, 8))
    assert called == [(3, 16, 8, 8)]


@pytest.mark.parametrize(
    ("height", "width", "stride", "expected"),
    [
        (32, 32, 1, True),
        (8, 8, 1, True),
        (5, 5, 1, True),
        (2, 2, 1, False),
        (1, 1, 1, False),
        (32, 32, 2, True),
        (7, 7, 2, True),
        (9, 9, 2, False),
        (4, 4, 2, False),
    ],
)
def test_small_maps_are_left_to_the_usual_way(height: int, width: int, stride: int, expected: bool) -> None:
    assert saves_products(height, width, stride) is expected


@needs_compiler
def test_a_compiled_and_an_exported_network_compute_the_usual_way() -> None:
    model = build_model("resnet8", SEVariant(), num_classes=4, seed=0).to(memory_format=torch.channels_last)
    x = image(3, 16, 16, batch=2)
    expected = copy.deepcopy(model)(x)
    use_winograd(model)
    torch.compiler.reset()
    assert torch.equal(torch.compile(copy.deepcopy(model), backend="eager", fullgraph=True)(x), expected)
    exported = torch.export.export(copy.deepcopy(model), (x.detach(),), strict=False)
    usual = [node for node in exported.graph.nodes if str(node.target) == "aten.conv2d.default"]
    assert len(usual) == 7


@needs_compiler
def test_an_empty_batch_and_another_default_type_are_as_usual() -> None:
    model, usual = use_winograd(nn.Sequential(layer(16, 32))), nn.Sequential(layer(16, 32))
    none = torch.empty(0, 16, 8, 8, requires_grad=True)
    assert model(none).shape == (0, 32, 8, 8)
    model(none).sum().backward()
    x = image(16, 8, 8)
    torch.set_default_dtype(torch.float64)
    try:
        out = model(x)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(out, usual(x), rtol=1e-4, atol=1e-4)
