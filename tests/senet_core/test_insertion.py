"""SE blocks put into networks that somebody else wrote."""

from __future__ import annotations

import copy
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from senet_core import SEVariant, UserError, build_model, insert_se
from senet_core.units import SEUnit

INTEGRATIONS = ("standard", "pre", "post", "identity", "conv3x3")
TORCHVISION: dict[str, dict[str, Any]] = {
    "resnet18": {"block": BasicBlock},
    "resnet50": {"block": Bottleneck},
    "resnext50_32x4d": {"block": Bottleneck, "groups": 32, "width_per_group": 4},
    "wide_resnet50_2": {"block": Bottleneck, "width_per_group": 128},
}
"""What torchvision's functions give to its class."""
DOCS = Path(__file__).parents[2] / "docs"


def randomised(model: nn.Module) -> nn.Module:
    """Give batch norms statistics and weights that matter, so that equality means something."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 1.5),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.2, 0.2),
            ):
                tensor.uniform_(low, high, generator=generator)
    return model


def gates_at_one(model: nn.Module) -> nn.Module:
    """Fix every gate: sigmoid(100) is 1 in float32."""
    for unit in model.modules():
        if isinstance(unit, SEUnit):
            nn.init.zeros_(unit.se.network.fc2.weight)
            nn.init.constant_(unit.se.network.fc2.bias, 100.0)
    return model


@lru_cache(maxsize=1)
def published(library: str, name: str) -> nn.Module:
    torch.manual_seed(0)
    if library == "torchvision":
        return randomised(getattr(torchvision.models, name)(num_classes=10))
    return randomised(timm.create_model(name, num_classes=10))


@lru_cache(maxsize=1)
def shortened(library: str, name: str) -> nn.Module:
    """A published network with fewer units: with a projection and without, with a stride and without."""
    torch.manual_seed(0)
    if library == "timm":
        return randomised(timm.create_model(name, num_classes=10, layers=(2, 1, 1, 1)))
    return randomised(ResNet(layers=[2, 1, 1, 1], num_classes=10, **TORCHVISION[name]))


def images(size: int = 64) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("torchvision", "resnet50"),
        ("torchvision", "resnet18"),
        ("torchvision", "resnext50_32x4d"),
        ("torchvision", "wide_resnet50_2"),
        ("timm", "resnet50"),
        ("timm", "resnet18"),
    ],
)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_with_gates_at_one_the_network_computes_what_it_did_bit_for_bit(
    library: str, name: str, training: bool, integration: str
) -> None:
    original = shortened(library, name)
    model = insert_se(copy.deepcopy(original), SEVariant(integration=integration, bias=True))
    gates_at_one(model).train(training)
    before = copy.deepcopy(original).train(training)
    with torch.no_grad():
        expected = before(images())
        assert float((expected[0] - expected[1]).abs().max()) > 1e-3  # the output depends on the image
        assert torch.equal(model(images()), expected)


def test_names_of_the_state_dict_are_kept() -> None:
    original = published("timm", "resnet18")
    model = insert_se(copy.deepcopy(original), SEVariant())
    names = set(original.state_dict())
    assert {name for name in model.state_dict() if ".se." not in name} == names
    missing, unexpected = model.load_state_dict(original.state_dict(), strict=False)
    assert not unexpected
    assert all(".se." in name for name in missing)


def test_stochastic_depth_anti_aliasing_and_activations_of_timm_are_kept() -> None:
    torch.manual_seed(0)
    original = randomised(
        timm.create_model(
            "resnet26",
            num_classes=10,
            drop_path_rate=0.5,
            drop_block_rate=0.2,
            aa_layer=timm.layers.BlurPool2d,
            act_layer=nn.LeakyReLU,
        )
    ).train()
    for integration in INTEGRATIONS:
        model = insert_se(copy.deepcopy(original), SEVariant(integration=integration, bias=True))
        gates_at_one(model)
        outputs = []
        for network in (copy.deepcopy(original), model):
            torch.manual_seed(3)
            outputs.append(network(images()))
        torch.testing.assert_close(*outputs)


def test_stochastic_depth_acts_on_the_gated_branch_as_in_timm() -> None:
    """The gate must see the branch itself: with most branches dropped, timm's own SE network agrees."""
    torch.manual_seed(0)
    theirs = timm.create_model("seresnet18", num_classes=10, drop_path_rate=0.9)
    ours = timm.create_model("resnet18", num_classes=10, drop_path_rate=0.9)
    ours.load_state_dict({k: v for k, v in theirs.state_dict().items() if ".se." not in k})
    # timm rounds widths to multiples of 8: 8, 8, 16, 32
    variant = SEVariant(reduction=((2, 8), (3, 16), (4, 16), (5, 16)), bias=True)
    insert_se(ours, variant)
    gates = {
        re.sub(r"\.se\.fc", ".se.network.fc", k): v for k, v in theirs.state_dict().items() if ".se.fc" in k
    }
    ours.load_state_dict({k: v.flatten(1) if v.dim() == 4 else v for k, v in gates.items()}, strict=False)
    outputs = []
    for network in (theirs, ours):
        torch.manual_seed(3)
        outputs.append(network.train()(images()))
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)


def test_the_network_keeps_its_mode_and_gets_blocks_of_its_type() -> None:
    model = torchvision.models.resnet18(num_classes=10).double().eval()
    insert_se(model, SEVariant(stages=(3,)))
    assert not any(module.training for module in model.modules())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}
    assert [name for name, unit in model.named_modules() if isinstance(unit, SEUnit)] == [
        "layer2.0",
        "layer2.1",
    ]


def test_gates_start_from_streams_of_their_own() -> None:
    """A unit's gate starts the same, whichever other units have one."""
    alone = insert_se(torchvision.models.resnet18(), SEVariant(stages=(4,)), seed=5)
    among = insert_se(torchvision.models.resnet18(), SEVariant(), seed=5)
    for name in ("layer3.0", "layer3.1"):
        first, second = (m.get_submodule(f"{name}.se").state_dict() for m in (alone, among))
        assert all(torch.equal(first[key], second[key]) for key in first)
    first, second = (among.get_submodule(f"layer3.{i}.se.network.fc1").weight for i in (0, 1))
    assert not torch.equal(first, second)


def test_stages_can_be_anywhere_in_a_network() -> None:
    model = nn.ModuleDict({"body": torchvision.models.resnet18()})
    insert_se(model, SEVariant(), stages={2: "body.layer1", 3: ("body.layer2.1",)})
    found = [name for name, unit in model.named_modules() if isinstance(unit, SEUnit)]
    assert found == ["body.layer1.0", "body.layer1.1", "body.layer2.1"]


def test_a_network_without_known_stages_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot find the stages of MobileNetV3: .* stages=\{2: "):
        insert_se(torchvision.models.mobilenet_v3_small(), SEVariant())


def test_a_wrong_path_is_refused() -> None:
    with pytest.raises(UserError, match="ResNet has no module 'layer9', where a stage was said to be"):
        insert_se(torchvision.models.resnet18(), SEVariant(), stages={2: "layer9"})


@pytest.mark.parametrize("stages", [{}, {2: "conv1"}])
def test_a_network_that_would_stay_plain_is_refused(stages: dict[int, str]) -> None:
    with pytest.raises(UserError, match=r"ResNet has no units in .*: a stage is the path of the module"):
        insert_se(torchvision.models.resnet18(), "eca", stages=stages)


@pytest.mark.parametrize(
    ("model", "stages", "message"),
    [
        ("resnet18", None, "into a network, a torch module, got 'resnet18'"),
        (torchvision.models.resnet18, None, "got <function resnet18"),
        (nn.Sequential(), [2], r"stages are given as \{2: 'path.of.a.stage', ...\}, got \[2\]"),
        (nn.Sequential(), "layer1", "got 'layer1'"),
    ],
)
def test_what_is_no_network_or_no_stages_is_refused(model: Any, stages: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        insert_se(model, "eca", stages=stages)


def test_an_unknown_block_is_refused_and_the_network_left_alone() -> None:
    model = torchvision.models.resnet18()
    model.layer4.append(nn.Conv2d(512, 512, 1))
    with pytest.raises(UserError, match=r"into torch\.nn\.modules\.conv\.Conv2d: .* @unit_form\('torch\.nn"):
        insert_se(model, SEVariant())
    assert not any(isinstance(module, SEUnit) for module in model.modules())


def test_a_network_with_attention_of_its_own_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"timm\.models\.resnet\.BasicBlock has an attention layer of its own"
    ):
        insert_se(timm.create_model("seresnet18"), SEVariant())
    model = insert_se(torchvision.models.resnet18(), SEVariant(stages=(2,)))
    with pytest.raises(UserError, match="ResNet has SE blocks already; start from the plain network"):
        insert_se(model, SEVariant())


@pytest.mark.parametrize(
    ("backbone", "integration", "possible"),
    [
        ("mobilenet-v1", "pre", "standard"),
        ("shufflenet-v1-g3", "post", "standard"),
        ("shake-shake-8-2x4d", "conv3x3", "standard, pre, post, identity"),
    ],
)
def test_an_integration_that_a_network_lacks_is_refused(
    backbone: str, integration: str, possible: str
) -> None:
    expected = f"integration '{integration}' is not possible in {backbone}; possible there: {possible}$"
    with pytest.raises(UserError, match=expected):
        build_model(backbone, SEVariant(integration=integration))


def test_insert_se_refuses_the_integration_by_the_block() -> None:
    from senet_core.backbones.mobilenet_v1 import MobileNetV1

    with pytest.raises(UserError, match=r"not possible in .*SeparableUnit; possible there: standard"):
        insert_se(MobileNetV1(num_classes=10), SEVariant(integration="identity"), stages={1: ("features.1",)})


def test_the_documented_way_to_teach_a_unit_works() -> None:
    text = (DOCS / "adding-a-block.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    scope: dict[str, object] = {"__name__": "documented"}
    exec(example, scope)
    model = scope["model"]
    assert isinstance(model, nn.Module)
    assert [name for name, unit in model.named_modules() if isinstance(unit, SEUnit)] == ["1.0", "1.1"]
    assert "1.0.expand.weight" in model.state_dict()
    unit = scope["MyUnit"]
    for integration in INTEGRATIONS:
        plain = nn.Sequential(unit(16))  # type: ignore[operator]
        x = torch.randn(2, 16, 8, 8)
        expected = plain(x)
        gated = insert_se(plain, SEVariant(integration=integration, bias=True), stages={2: ("0",)})
        assert torch.equal(gates_at_one(gated)(x), expected)
