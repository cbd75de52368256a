"""Where the SE block stands in each family's unit, against the formula written out by hand."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core import SEVariant, UserError, build_model, insert_se
from senet_core.backbones import find_backbone
from senet_core.backbones.bn_inception import halved
from senet_core.backbones.catalog import BACKBONES, PATTERNS
from senet_core.backbones.cifar import (
    BOTTLENECKS_FROM,
    PRE_GATES,
    PRE_GATES_RAW,
    STARTS_BY_INPUT,
    STARTS_BY_OUTPUT,
)
from senet_core.backbones.preact_resnet import PreactBasic, PreactBottleneck
from senet_core.backbones.shake_shake import Shake, ShiftedShortcut
from senet_core.backbones.shufflenet_v1 import shuffled
from senet_core.randomness import draw_noise_from
from senet_core.units import SEUnit

Formula = Callable[[nn.Module, Tensor], Tensor]


def unit_and_input(name: str, path: str, integration: str = "standard") -> tuple[SEUnit, Tensor]:
    """Return a unit of a network in evaluation mode, and the map that comes to it."""
    model = build_model(name, SEVariant(integration=integration, reduction=2), num_classes=10, seed=0).eval()
    unit = model.get_submodule(path)
    assert isinstance(unit, SEUnit)
    seen: list[Tensor] = []
    unit.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    size = 2 * find_backbone(name).image_size // 7 if find_backbone(name).image_size == 224 else 16
    with torch.no_grad():
        model(torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1)))
    return unit, seen[0]


def relu_bn(bn: nn.Module, x: Tensor) -> Tensor:
    return F.relu(bn(x))


@pytest.mark.parametrize(
    ("integration", "formula"),
    [
        ("standard", lambda x, f, s, g: s(x) + g(f(x))),
        ("pre", lambda x, f, s, g: s(x) + f(g(x))),
        ("post", lambda x, f, s, g: g(s(x) + f(x))),
        ("identity", lambda x, f, s, g: g(s(x)) + f(x)),
    ],
)
@pytest.mark.parametrize("path", ["layer2.0", "layer1.0"])
def test_preactivation_units(integration: str, formula: Callable[..., Tensor], path: str) -> None:
    """layer2.0 projects: branch and shortcut start from one pre-activation. layer1.0 does not: nothing is shared."""
    unit, x = unit_and_input("preact-resnet8", path, integration)
    projects = path == "layer2.0"
    assert (unit.downsample is not None) == projects

    def f(y: Tensor) -> Tensor:
        y = y if projects else relu_bn(unit.bn1, y)
        return unit.conv2(relu_bn(unit.bn2, unit.conv1(y)))

    def s(y: Tensor) -> Tensor:
        return unit.downsample(y) if projects else y

    start = relu_bn(unit.bn1, x) if projects else x
    with torch.no_grad():
        torch.testing.assert_close(unit(x), formula(start, f, s, unit.se))


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("preact-resnet14", {"layer2.0", "layer3.0"}),
        ("preact-resnet164", {"layer1.0", "layer2.0", "layer3.0"}),
        ("wrn-16-1", {"layer2.0", "layer3.0"}),
        ("wrn-16-2", {"layer1.0", "layer2.0", "layer3.0"}),
        ("shake-shake-14-2x8d", set()),
    ],
)
def test_what_pre_gates_in_each_unit(name: str, shared: set[str]) -> None:
    """The shared pre-activation, after batch norm and ReLU, in these units; the raw sum in all others."""
    model = build_model(name, SEVariant(integration="pre"), num_classes=10, seed=0).eval()
    units = {path: unit for path, unit in model.named_modules() if isinstance(unit, SEUnit)}
    came: dict[str, Tensor] = {}
    gated: dict[str, Tensor] = {}
    for path, unit in units.items():
        unit.register_forward_pre_hook(lambda _, x, path=path: came.update({path: x[0].clone()}))
        unit.se.register_forward_pre_hook(lambda _, x, path=path: gated.update({path: x[0].clone()}))
    with torch.no_grad():
        model(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    activated = {path for path in units if not torch.equal(gated[path], came[path])}
    assert activated == shared
    for path in shared:
        torch.testing.assert_close(gated[path], relu_bn(units[path].bn1, came[path]))
    assert all((came[path] < 0).any() for path in units.keys() - {"layer1.0"})
    said = PRE_GATES if hasattr(units["layer2.0"], "bn1") else PRE_GATES_RAW
    [family] = [family for family in PATTERNS if re.fullmatch(family.regex, name)]
    assert said in family.differs
    for registered in BACKBONES:
        if re.fullmatch(family.regex, registered):
            assert said in BACKBONES[registered].differs


@pytest.mark.parametrize(
    ("name", "by_output", "said"),
    [
        ("resnet20", False, STARTS_BY_INPUT),
        ("preact-resnet20", True, STARTS_BY_OUTPUT),
        ("wrn-10-2", True, STARTS_BY_OUTPUT),
        ("shake-shake-8-2x8d", True, STARTS_BY_OUTPUT),
    ],
)
def test_by_which_size_convolutions_start(name: str, by_output: bool, said: str) -> None:
    model = build_model(name, None, num_classes=10, seed=0)
    ratios = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels != layer.out_channels:
            size = (layer.out_channels if by_output else layer.in_channels) * layer.kernel_size[0] ** 2
            ratios.append(float(layer.weight.detach().std()) * (size / 2) ** 0.5)
    assert len(ratios) > 2
    assert all(abs(ratio - 1) < 0.2 for ratio in ratios)
    [family] = [family for family in PATTERNS if re.fullmatch(family.regex, name)]
    assert said in family.differs


def test_3x3_gate_of_a_preactivation_bottleneck() -> None:
    unit, x = unit_and_input("preact-resnet164", "layer1.1", "conv3x3")
    with torch.no_grad():
        inner = relu_bn(unit.bn3, unit.conv2(relu_bn(unit.bn2, unit.conv1(relu_bn(unit.bn1, x)))))
        torch.testing.assert_close(unit(x), x + unit.conv3(unit.se(inner)))
    assert unit.se.channels == 16


def test_shake_unit_gates_the_mix_of_its_branches() -> None:
    unit, x = unit_and_input("shake-shake-8-2x8d", "layer2.0")
    with torch.no_grad():
        mix = (unit.branch1(F.relu(x)) + unit.branch2(F.relu(x))) / 2
        torch.testing.assert_close(unit(x), unit.downsample(F.relu(x)) + unit.se(mix))


def test_vgg_gates_after_the_relu_of_each_convolution() -> None:
    with torch.device("meta"):
        model = build_model("vgg16_bn", SEVariant(), num_classes=10)
    features = model.get_submodule("features")
    units = [name for name, layer in features.named_children() if isinstance(layer, SEUnit)]
    norms = [name for name, layer in features.named_children() if isinstance(layer, nn.BatchNorm2d)]
    assert [int(name) for name in units] == [int(name) + 1 for name in norms]
    assert not any(isinstance(layer, nn.ReLU) for layer in features)
    widths = [features.get_submodule(name).se.channels for name in units]
    assert widths == [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def test_vgg_unit_gates_the_rectified_map() -> None:
    from senet_core.backbones.vgg import Activation

    model = insert_se(nn.ModuleDict({"relu": Activation(8)}), SEVariant(), stages={1: ("relu",)}, seed=0)
    unit, x = model["relu"], torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(unit(x.clone()), unit.se(F.relu(x)))


@pytest.mark.parametrize("path", ["inception_3a", "inception_3c", "inception_5b"])
def test_inception_gates_the_concatenated_output(path: str) -> None:
    unit, x = unit_and_input("bn-inception", path)
    branches = [unit.branch3x3, unit.branch_double]
    with torch.no_grad():
        parts = [branch(x) for branch in branches]
        if path == "inception_3c":
            parts.append(halved(x))
        else:
            pooled = F.max_pool2d(x, 3, 1, 1) if path == "inception_5b" else F.avg_pool2d(x, 3, 1, 1)
            parts = [unit.branch1x1(x), *parts, unit.branch_pool(pooled)]
        torch.testing.assert_close(unit(x), unit.se(torch.cat(parts, dim=1)))


def test_inception_widths_are_those_of_the_authors_file() -> None:
    """Gates of the Caffe definition of SE-BN-Inception: 16, 20, 36, 36, ... units."""
    from senet_core.insertion import bottleneck_widths

    with torch.device("meta"):
        model = build_model("bn-inception", SEVariant())
    found = bottleneck_widths(model, find_backbone("bn-inception").stages)
    assert found == {3: (16, 20, 36), 4: (36, 36, 38, 38, 66), 5: (64, 64)}


def test_inception_takes_any_size() -> None:
    model = build_model("bn-inception", num_classes=3, seed=0).eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, 75, 101)).shape == (1, 3)


def test_caffe_pooling_halves_even_sizes_without_padding() -> None:
    x = torch.randn(1, 2, 8, 8)
    assert torch.equal(halved(x), F.max_pool2d(x, 3, stride=2, ceil_mode=True))
    assert halved(torch.randn(1, 2, 7, 9)).shape == (1, 2, 4, 5)


def test_mobilenet_gates_after_the_pointwise_relu() -> None:
    unit, x = unit_and_input("mobilenet-v1", "features.2")
    with torch.no_grad():
        torch.testing.assert_close(unit(x), unit.se(unit.pointwise(unit.depthwise(x))))


@pytest.mark.parametrize("path", ["stage2.0", "stage2.1"])
def test_shufflenet_gates_the_branch(path: str) -> None:
    unit, x = unit_and_input("shufflenet-v1-g3", path)
    with torch.no_grad():
        branch = unit.bn3(unit.conv3(unit.bn2(unit.conv2(shuffled(unit.conv1(x))))))
        if path == "stage2.0":
            merged = torch.cat((F.avg_pool2d(x, 3, 2, 1), unit.se(branch)), dim=1)
        else:
            merged = x + unit.se(branch)
        torch.testing.assert_close(unit(x), F.relu(merged))


def test_shuffle_deals_the_channels_of_each_group_out() -> None:
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert shuffled(x).flatten().tolist() == [0, 2, 4, 1, 3, 5]


def test_shake_mixes_values_and_gradients_with_separate_weights() -> None:
    """Image by image: y = alpha a + (1 - alpha) b, and the gradient is shared by beta."""
    shake = Shake(backward=True)
    shake.generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 2, 4, 4, requires_grad=True) for _ in range(2))
    y = shake(a, b)
    y.sum().backward()
    generator = torch.Generator().manual_seed(0)
    alpha, beta = (torch.rand(3, 1, 1, 1, generator=generator) for _ in range(2))
    torch.testing.assert_close(y, alpha * a + (1 - alpha) * b)
    torch.testing.assert_close(a.grad, beta.expand_as(a))
    torch.testing.assert_close(b.grad, (1 - beta).expand_as(b))


def test_shake_even_shares_the_gradient_evenly() -> None:
    a, b = (torch.randn(3, 2, 4, 4, requires_grad=True) for _ in range(2))
    Shake(backward=False)(a, b).sum().backward()
    torch.testing.assert_close(a.grad, torch.full_like(a, 0.5))
    torch.testing.assert_close(b.grad, torch.full_like(b, 0.5))


def test_shake_is_even_when_not_training() -> None:
    a, b = torch.randn(2, 3, 2, 4, 4)
    torch.testing.assert_close(Shake(backward=True).eval()(a, b), (a + b) / 2)


def test_plain_and_se_networks_see_the_same_shakes() -> None:
    """Both leave a generator of the same seed in the same state."""
    states = []
    for variant in (None, SEVariant()):
        model = build_model("shake-shake-8-2x8d", variant, num_classes=10, seed=0).train()
        generator = torch.Generator().manual_seed(5)
        draw_noise_from(model, generator)
        before = torch.get_rng_state()
        model(torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(6)))
        assert torch.equal(torch.get_rng_state(), before)
        states.append(generator.get_state())
        copy.deepcopy(model)
    assert torch.equal(*states)


def test_shifted_shortcut_sees_the_pixels_that_the_first_path_skips() -> None:
    shortcut = ShiftedShortcut(1, 2, stride=2).eval()
    for convolution in (shortcut.conv1, shortcut.conv2):
        nn.init.ones_(convolution.weight)
    shortcut.bn.eps = 0.0
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    first, second = shortcut(x)[0]
    assert first.tolist() == [[0, 2], [8, 10]]
    assert second.tolist() == [[0, 0], [0, 5]]


@pytest.mark.parametrize(
    ("name", "unit", "units"),
    [
        ("preact-resnet110", PreactBasic, 54),
        (f"preact-resnet{BOTTLENECKS_FROM}", PreactBottleneck, 54),
        ("preact-resnet1001", PreactBottleneck, 333),
        ("wrn-16-8", PreactBasic, 6),
    ],
)
def test_families_have_the_units_of_their_papers(name: str, unit: type[nn.Module], units: int) -> None:
    with torch.device("meta"):
        model = build_model(name, num_classes=10)
    assert sum(isinstance(module, unit) for module in model.modules()) == units


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("preact-resnet111", "preact-resnet110"),
        ("preact-resnet170", "preact-resnet173"),
        ("wrn-17-8", "wrn-16-8"),
        ("wrn-16-0", "wrn-16-8"),
        ("shake-shake-27-2x96d", "shake-shake-26-2x96d"),
        ("resnet9", "resnet8"),
        ("resnet0", "resnet8"),
        ("resnet35", "resnet34"),
        ("cifar-resnet21", "resnet20"),
    ],
)
def test_numbers_that_no_member_has_are_refused_with_the_nearest_that_one_has(name: str, near: str) -> None:
    with pytest.raises(
        UserError, match=f"unknown backbone '{name}'; did you mean '{near}'.*wrn-D-K with D = 6n"
    ):
        find_backbone(name)


def test_catalogue_says_what_is_possible_without_building() -> None:
    found = find_backbone("vgg16_bn")
    assert found.integrations == ("standard",)
    assert found.variant(SEVariant(stages=(1, 2, 3, 4, 5))) == SEVariant()
    with pytest.raises(UserError, match="integration 'post' is not possible in vgg16_bn"):
        found.variant(SEVariant(integration="post"))
    assert find_backbone("resnet50").integrations is None
    assert find_backbone("inception-resnet-v2").image_size == 299
