"""Stochastic depth: in every residual unit of every backbone, after the SE block, and gone once it is trained."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torchvision.ops import StochasticDepth

from senet_core import BACKBONES, INTEGRATIONS, SEVariant, build_model
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.training.stochastic_depth import add_stochastic_depth

WITHOUT = ("bn-inception", "mobilenet-v1", "vgg16_bn")
SMALL = (
    "resnet8",
    "preact-resnet8",
    "wrn-10-1",
    "shake-shake-8-2x8d",
    "resnet18",
    "resnet50",
    "shufflenet-v1-g3",
)


def dropped(name: str, variant: SEVariant | None, rate: float = 0.5) -> tuple[nn.Module, nn.Module]:
    """A network without and with stochastic depth, with the same weights."""
    model = build_model(name, variant, num_classes=4, seed=0)
    return copy.deepcopy(model), add_stochastic_depth(model, rate, find_backbone(name).stages)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_with_residual_units_has_it_in_all_of_them(name: str) -> None:
    for variant in (None, SEVariant()):
        with torch.device("meta"):
            model = build_model(name, variant, num_classes=4)
        names, stages = list(model.state_dict()), find_backbone(name).stages
        if name in WITHOUT:
            with pytest.raises(UserError, match="it has no residual units"):
                add_stochastic_depth(model, 0.5, stages)
            continue
        add_stochastic_depth(model, 0.5, stages)
        rates = [layer.p for layer in model.modules() if isinstance(layer, StochasticDepth)]
        assert rates == pytest.approx([0.5 * (k + 1) / len(rates) for k in range(len(rates))])
        assert list(model.state_dict()) == names


CASES: list[tuple[str, SEVariant | None]] = [
    (name, variant)
    for name in SMALL
    for variant in (None, *(SEVariant(integration=integration) for integration in INTEGRATIONS))
    if variant is None or variant.integration in (find_backbone(name).integrations or INTEGRATIONS)
]


@pytest.mark.parametrize(("name", "variant"), CASES, ids=str)
def test_it_computes_the_same_once_it_is_trained(name: str, variant: SEVariant | None) -> None:
    plain, model = dropped(name, variant)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(model.eval()(x), plain.eval()(x))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        one = model.train()(x)
        torch.manual_seed(1)
        assert not torch.equal(one, model(x))


def test_a_branch_that_is_left_out_leaves_the_shortcut() -> None:
    """With nearly all branches out, the network is its shortcuts: no unit's convolution gets a gradient."""
    _, model = dropped("resnet8", SEVariant(), 1 - 1e-6)
    for layer in model.modules():
        if isinstance(layer, StochasticDepth):
            layer.p = 1 - 1e-6
    model.train()(torch.randn(4, 3, 8, 8)).sum().backward()
    assert model.get_parameter("layer2.0.conv1.weight").grad is not None
    assert not model.get_parameter("layer2.0.conv1.weight").grad.any()  # type: ignore[union-attr]
    assert model.get_parameter("fc.weight").grad.any()  # type: ignore[union-attr]


def test_an_se_block_sees_the_whole_branch() -> None:
    """Its gates do not depend on which branches are left out of this image."""
    _, model = dropped("resnet8", SEVariant())
    seen: list[torch.Tensor] = []
    se = model.get_submodule("layer1.0.se")
    assert isinstance(se, nn.Module)
    se.network.register_forward_hook(lambda layer, given, out: seen.append(out))  # type: ignore[union-attr, operator]
    x = torch.randn(16, 3, 8, 8)
    for _ in range(2):
        model.train()(x)
    assert torch.equal(*seen)


def test_rows_of_one_seed_leave_out_the_same_branches() -> None:
    out = []
    for variant in (None, SEVariant(), SEVariant(squeeze="max")):
        _, model = dropped("resnet8", variant)
        masks: list[list[bool]] = []
        for layer in model.modules():
            if isinstance(layer, StochasticDepth):
                layer.register_forward_hook(
                    lambda layer, given, y, kept=masks: kept.append((y != 0).flatten(1).any(dim=1).tolist())
                )
        with torch.random.fork_rng():
            torch.manual_seed(3)
            model.train()(torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
        out.append(masks)
    assert out[0] == out[1] == out[2]
    assert not all(map(all, out[0]))


def test_timms_blocks_leave_out_by_their_own_code() -> None:
    timm = pytest.importorskip("timm")
    stages = {stage + 1: f"layer{stage}" for stage in range(1, 5)}
    model = timm.create_model("resnet10t", num_classes=4, zero_init_last=False)
    plain = copy.deepcopy(model)
    add_stochastic_depth(model, 0.5, stages)
    x = torch.randn(4, 3, 64, 64)
    torch.testing.assert_close(model.eval()(x), plain.eval()(x))
    assert not torch.equal(model.train()(x), model(x))
    with pytest.raises(UserError, match="it has stochastic depth of its own"):
        add_stochastic_depth(model, 0.5, stages)
