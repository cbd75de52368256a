"""Networks and blocks against independent implementations, with random weights carried over."""

from __future__ import annotations

import re

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from senet_core import SEBlock, SEVariant, build_model
from senet_core.units import SEUnit
from senet_core.weights import load_weights

SE = SEVariant(bias=True)  # released models have biases


def randomised(model: nn.Module, size: int = 64) -> nn.Module:
    """Draw weights and batch-norm statistics under which every layer matters to the output.

    As built, random networks nearly forget their input: two images differ by 1e-5 in the output, and equality would
    mean little. With lively weights they are chaotic: rounding grows by 1e14 over SENet-154. So batch norms take the
    statistics of random images, shifted a little, and branches are kept small beside their shortcuts.
    """
    generator = torch.Generator().manual_seed(1)
    norms = {name: module for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    for name, norm in norms.items():
        norm.weight.data.uniform_(0.3, 0.9, generator=generator).mul_(0.4 if name.endswith(".bn3") else 1)
        norm.bias.data.uniform_(-0.2, 0.2, generator=generator)
        norm.momentum = None  # a plain average: the statistics of the one batch below
    for name, parameter in model.named_parameters():
        if re.search(r"\.fc\d\.weight$|^(fc|classif|last_linear|classifier)\.weight$", name):
            parameter.data.normal_(std=parameter.shape[1] ** -0.5, generator=generator)
    with torch.no_grad():
        model.train()(torch.randn(8, 3, size, size, generator=generator))
    for norm in norms.values():
        shift = torch.empty_like(norm.running_mean).uniform_(-0.1, 0.1, generator=generator)
        norm.running_mean += shift * norm.running_var.sqrt()
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.9, 1.1, generator=generator)
    return model.eval()


def assert_equal_outputs(ours: nn.Module, theirs: nn.Module, size: int = 64) -> None:
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        mine, expected = ours.eval()(x), theirs(x)
        assert float((expected[0] - expected[1]).abs().max()) > 0.1  # the output depends on the image
        assert float((mine - expected).abs().max()) <= 1e-5
        for unit in ours.modules():
            if isinstance(unit, SEUnit):
                nn.init.zeros_(unit.se.network.fc2.weight)
        if any(isinstance(unit, SEUnit) for unit in ours.modules()):
            assert float((ours(x) - expected).abs().max()) > 1e-3  # and on what the gates read


@pytest.mark.parametrize(
    ("theirs", "backbone", "variant"),
    [
        ("seresnet50", "resnet50", SE),
        ("legacy_seresnet50", "resnet50-v1", SE),
        ("legacy_seresnext50_32x4d", "resnext50_32x4d-v1", SE),
        pytest.param("legacy_seresnet101", "resnet101-v1", SE, marks=pytest.mark.slow),
        pytest.param("legacy_seresnext101_32x4d", "resnext101_32x4d-v1", SE, marks=pytest.mark.slow),
        pytest.param("legacy_senet154", "senet154", SE, marks=pytest.mark.slow),
        pytest.param("inception_resnet_v2", "inception-resnet-v2", None, marks=pytest.mark.slow),
    ],
)
def test_equal_to_timm(theirs: str, backbone: str, variant: SEVariant | None) -> None:
    torch.manual_seed(0)
    published = randomised(timm.create_model(theirs, num_classes=10), size=96)
    ours = build_model(backbone, variant, num_classes=10)
    load_weights(ours, published.state_dict(), backbone=backbone)
    assert_equal_outputs(ours, published, size=96)


def test_mobilenet_is_equal_to_timm_with_its_activation() -> None:
    """timm names the layers otherwise and follows TensorFlow's ReLU6; the paper has a ReLU."""
    torch.manual_seed(0)
    published = randomised(timm.create_model("mobilenetv1_100", num_classes=10, act_layer=nn.ReLU))
    ours = build_model("mobilenet-v1", num_classes=10)
    mine, theirs = ours.state_dict(), published.state_dict()
    assert [v.shape for v in mine.values()] == [v.shape for v in theirs.values()]
    load_weights(ours, dict(zip(mine, theirs.values(), strict=True)), backbone="mobilenet-v1")
    assert_equal_outputs(ours, published)


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnext50_32x4d",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "resnet101",
                "resnet152",
                "resnext101_32x8d",
                "resnext101_64x4d",
                "wide_resnet50_2",
                "wide_resnet101_2",
                "vgg16_bn",
            )
        ),
    ],
)
def test_equal_to_torchvision(name: str) -> None:
    """The plain network, and the SE network with every gate at one, give torchvision's outputs bit for bit."""
    torch.manual_seed(0)
    published = randomised(getattr(torchvision.models, name)(num_classes=10))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = published(x)
        assert float((expected[0] - expected[1]).abs().max()) > 0.1
        for variant in (None, SE):
            ours = build_model(name, variant, num_classes=10).eval()
            load_weights(ours, published.state_dict(), backbone=name)
            for unit in ours.modules():
                if isinstance(unit, SEUnit):
                    nn.init.zeros_(unit.se.network.fc2.weight)
                    nn.init.constant_(unit.se.network.fc2.bias, 100.0)
            assert torch.equal(ours(x), expected)


def test_caffe_conventions_differ_from_torchvision_in_strides_and_pooling_only() -> None:
    theirs, ours = (build_model(name, num_classes=10, seed=0) for name in ("resnet50", "resnet50-v1"))
    assert all(torch.equal(v, ours.state_dict()[k]) for k, v in theirs.state_dict().items())
    first = ours.get_submodule("layer2.0")
    assert first.conv1.stride == (2, 2)
    assert first.conv2.stride == (1, 1)
    assert ours.maxpool.ceil_mode
    assert ours.maxpool.padding == 0


@pytest.mark.parametrize("shape", [(2, 64, 7, 9), (1, 32, 1, 1)])
def test_block_is_equal_to_torchvision(shape: tuple[int, int, int, int]) -> None:
    """Output, and the gradients of input and weights."""
    channels, width = shape[1], 4
    theirs = torchvision.ops.SqueezeExcitation(channels, width)
    ours = SEBlock(channels, width=width, bias=True)
    with torch.no_grad():
        for mine, their in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.copy_(their.reshape(mine.shape))
    x = torch.randn(shape)
    results: list[tuple[Tensor, ...]] = []
    for block in (theirs, ours):
        leaf = x.clone().requires_grad_()
        y = block(leaf)
        gradients = torch.autograd.grad(
            (y * torch.arange(y.numel()).view_as(y)).sum(), [leaf, *block.parameters()]
        )
        results.append((y, *gradients))
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected.reshape(found.shape), rtol=1e-5, atol=1e-5)
