"""Integrations against the formulas of the paper's figure, written out with each unit's own layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from senet_core import INTEGRATIONS, SEBlock, SEVariant, UserError, build_model
from senet_core.backbones.cifar_resnet import BasicUnit
from senet_core.units import SEUnit

Map = Callable[[Tensor], Tensor]


def projection(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "cifar basic": lambda: BasicUnit(8, 8, stride=1),
    "cifar basic, padding shortcut": lambda: BasicUnit(8, 12, stride=2),
    "basic": lambda: BasicBlock(8, 8),
    "basic, projecting": lambda: BasicBlock(8, 12, stride=2, downsample=projection(8, 12)),
    "bottleneck": lambda: Bottleneck(16, 4),
    "bottleneck, projecting": lambda: Bottleneck(16, 6, stride=2, downsample=projection(16, 24)),
}


def make_block(kind: str) -> nn.Module:
    torch.manual_seed(1)
    block = BLOCKS[kind]()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
    return block


def channels_of(block: nn.Module) -> dict[str, int]:
    last = block.conv3 if isinstance(block, Bottleneck) else block.conv2
    inner = block.conv2 if isinstance(block, Bottleneck) else block.conv1
    return {"in": block.conv1.in_channels, "inner": inner.out_channels, "out": last.out_channels}


def make_gate(block: nn.Module, integration: str) -> SEBlock:
    torch.manual_seed(2)
    return SEBlock(channels_of(block)[INTEGRATIONS[integration].traits["gates"]], width=3)


def f(block: nn.Module, x: Tensor, inside: Map = lambda y: y) -> Tensor:
    """The residual branch, layer by layer."""
    if isinstance(block, Bottleneck):
        y = F.relu(block.bn1(block.conv1(x)))
        return block.bn3(block.conv3(inside(F.relu(block.bn2(block.conv2(y))))))
    return block.bn2(block.conv2(inside(F.relu(block.bn1(block.conv1(x))))))


def s(block: nn.Module, x: Tensor) -> Tensor:
    """The shortcut."""
    if isinstance(block, BasicUnit) and block.conv1.out_channels != x.shape[1]:
        new = block.conv1.out_channels - x.shape[1]
        zeros = x.new_zeros(x.shape[0], new // 2, *x[:, :, ::2, ::2].shape[2:])
        return torch.cat([zeros, x[:, :, ::2, ::2], zeros], dim=1)
    return x if block.downsample is None else block.downsample(x)


def formula(integration: str, block: nn.Module, se: SEBlock, x: Tensor) -> Tensor:
    """The figure's line, with the SE block written out too."""

    def g(y: Tensor) -> Tensor:
        z = y.flatten(2).mean(2)
        gates = torch.sigmoid(F.linear(F.relu(F.linear(z, se.network.fc1.weight)), se.network.fc2.weight))
        return y * gates[:, :, None, None]

    lines: dict[str, Callable[[], Tensor]] = {
        "standard": lambda: F.relu(s(block, x) + g(f(block, x))),
        "pre": lambda: F.relu(s(block, x) + f(block, g(x))),
        "post": lambda: g(F.relu(s(block, x) + f(block, x))),
        "identity": lambda: F.relu(g(s(block, x)) + f(block, x)),
        "conv3x3": lambda: F.relu(s(block, x) + f(block, x, inside=g)),
    }
    return lines[integration]()


def image(block: nn.Module, *, batch: int = 2) -> Tensor:
    return torch.randn(batch, block.conv1.in_channels, 7, 5, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("integration", INTEGRATIONS)
@pytest.mark.parametrize("kind", BLOCKS)
def test_is_the_papers_formula_with_its_gradients(kind: str, integration: str, training: bool) -> None:
    block = make_block(kind).train(training)
    se = make_gate(block, integration)
    expected_block, expected_se = copy.deepcopy(block), copy.deepcopy(se)
    unit = SEUnit(block, se, integration=integration).train(training)
    found = []
    for run, parts in (
        (unit, (unit,)),
        (lambda x: formula(integration, expected_block, expected_se, x), (expected_block, expected_se)),
    ):
        x = image(expected_block).requires_grad_()
        y = run(x)
        parameters = {name.removeprefix("se."): p for part in parts for name, p in part.named_parameters()}
        names = sorted(parameters)
        weight = torch.arange(y.numel()).view_as(y) / y.numel()
        gradients = torch.autograd.grad((y * weight).sum(), [x, *(parameters[name] for name in names)])
        found.append((y, *gradients))
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["cifar basic", "bottleneck"])
def test_the_five_formulas_are_five_different_functions(kind: str) -> None:
    """Otherwise the test above would prove little. The gates of a basic unit all weigh as many channels."""
    block = make_block(kind).eval()
    outputs = {name: formula(name, block, make_gate(block, name), image(block)) for name in INTEGRATIONS}
    assert len(outputs) == 5
    for first, second in combinations(outputs, 2):
        assert (outputs[first] - outputs[second]).abs().max() > 1e-2


@pytest.mark.parametrize("integration", INTEGRATIONS)
@pytest.mark.parametrize("kind", BLOCKS)
def test_leaves_its_input_alone(kind: str, integration: str) -> None:
    """Units rectify in place; what they rectify must be their own."""
    block = make_block(kind).eval()
    unit = SEUnit(block, make_gate(block, integration), integration=integration)
    x = image(block, batch=1)
    before = x.clone()
    unit(x)
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("integration", "channels"),
    [("standard", 256), ("pre", 64), ("post", 256), ("identity", 256), ("conv3x3", 64)],
)
def test_gates_the_channels_at_its_place(integration: str, channels: int) -> None:
    """The first unit of ResNet-50: 64 channels come in, 64 are inside and 256 go out."""
    with torch.device("meta"):
        model = build_model(
            "resnet50", SEVariant(integration=integration, stages=(2,), reduction=4), num_classes=2
        )
    se = model.get_submodule("layer1.0.se")
    assert (se.channels, se.width) == (channels, channels // 4)
    assert se.network.fc1.weight.shape == (channels // 4, channels)


def test_an_unknown_integration_is_refused() -> None:
    block = make_block("basic")
    with pytest.raises(UserError, match=r"^unknown integration 'preE'; did you mean 'pre'\?"):
        SEUnit(block, SEBlock(8, width=1), integration="preE")
