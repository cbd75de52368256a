"""Every network, plain and with SE: one training step, and weights that depend on the seed alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from senet_core import BACKBONES, SEVariant, build_model
from senet_core.backbones import find_backbone
from senet_core.insertion import bottleneck_widths
from senet_core.units import SEUnit

FAST = {"resnet20", "resnet18", "preact-resnet8", "wrn-10-2", "shake-shake-8-2x8d", "shake-even-11-2x2x16d"}
FAST |= {"mobilenet-v1", "shufflenet-v1-g3", "bn-inception"}
SMALL = ("preact-resnet8", "wrn-10-2", "shake-shake-8-2x8d", "shake-even-11-2x2x16d")
NAMES = [
    name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
    for name in (*SMALL, *sorted(BACKBONES))
]
VARIANTS = pytest.mark.parametrize("variant", [None, SEVariant()], ids=["plain", "se"])


def size_of(name: str) -> int:
    """A small image, as large as the network needs."""
    return {32: 32, 224: 64, 299: 96}[find_backbone(name).image_size]


def units_of(model: nn.Module) -> int:
    return sum(isinstance(module, SEUnit) for module in model.modules())


@VARIANTS
@pytest.mark.parametrize("name", NAMES)
def test_one_training_step_reaches_every_parameter(name: str, variant: SEVariant | None) -> None:
    model = build_model(name, variant, num_classes=10, seed=0).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.randn(2, 3, size_of(name), size_of(name), generator=torch.Generator().manual_seed(1))
    loss = F.cross_entropy(model(x), torch.tensor([1, 2]))
    loss.backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
    optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_plain_and_se_share_names_and_initial_weights(name: str) -> None:
    plain = build_model(name, None, num_classes=10, seed=7).state_dict()
    with_se = build_model(name, SEVariant(), num_classes=10, seed=7).state_dict()
    assert {key for key in with_se if ".se." not in key} == set(plain)
    assert all(torch.equal(value, with_se[key]) for key, value in plain.items())


@pytest.mark.parametrize("name", [*SMALL, *sorted(BACKBONES)])
def test_every_stage_has_its_blocks(name: str) -> None:
    stages = find_backbone(name).stages
    with torch.device("meta"):
        everywhere = build_model(name, SEVariant(), num_classes=10)
        counts = {stage: len(widths) for stage, widths in bottleneck_widths(everywhere, stages).items()}
        assert set(counts) == set(stages)
        assert units_of(everywhere) == sum(counts.values())
        # building the deep ones stage by stage takes seconds each
        for stage in stages if name in (*SMALL, *FAST) else [max(stages)]:
            model = build_model(name, SEVariant(stages=(stage,)), num_classes=10)
            assert units_of(model) == counts[stage]


@pytest.mark.parametrize("name", NAMES)
def test_every_integration_that_a_network_has_can_be_built(name: str) -> None:
    found = find_backbone(name)
    size = size_of(name)
    for integration in found.integrations or ("standard", "pre", "post", "identity", "conv3x3"):
        with torch.device("meta"), torch.no_grad():
            model = build_model(name, SEVariant(integration=integration), num_classes=7, in_channels=1)
            assert model(torch.empty(2, 1, size, size)).shape == (2, 7)


ONCE = [
    (name, integration)
    for name in ("resnet20", "preact-resnet8", "wrn-10-2", "shake-shake-8-2x8d")
    for integration in find_backbone(name).integrations or ("standard", "pre", "post", "identity", "conv3x3")
]


@pytest.mark.parametrize(("name", "integration"), ONCE)
def test_batch_norms_see_each_batch_once(name: str, integration: str) -> None:
    """A shared pre-activation must not be computed twice, whichever integration runs the unit."""
    model = build_model(name, SEVariant(integration=integration), num_classes=10, seed=0).train()
    model(torch.randn(2, 3, 16, 16))
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {int(norm.num_batches_tracked) for norm in norms} == {1}
