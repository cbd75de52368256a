"""Pruned networks against the same networks with zeros in the removed channels, and against counts made by hand."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from torch import Tensor, nn

from senet_core import SEVariant, UserError, build_model
from senet_core.backbones.cifar_resnet import ZeroPadShortcut
from senet_core.complexity import count_multiply_adds, count_parameters
from senet_core.pruning.gates import mean_gates
from senet_core.pruning.prune import Removed, prune_channels
from senet_core.pruning.rankings import RANKINGS, Evidence
from senet_core.pruning.shortcut import PrunedShortcut

SHAPE = (3, 16, 16)
STAGES = ("layer1", "layer2", "layer3")


def network(integration: str | None = "conv3x3", backbone: str = "resnet14", **fields: object) -> nn.Module:
    """A network whose batch norms have scales, shifts and statistics as after a training."""
    variant = None if integration is None else SEVariant(reduction=4, integration=integration, **fields)  # type: ignore[arg-type]
    model = build_model(backbone, variant, num_classes=10, seed=0)
    draws = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5), (module.bias, -0.5, 0.5), (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 1.5),
            ):  # fmt: skip
                tensor.data.uniform_(low, high, generator=draws)
    return model.eval()


def images(count: int = 4, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(2))


def makers(model: nn.Module, group: str) -> list[nn.Module]:
    """What makes the channels of a group, by the name of its first convolution: its batch norms and a shortcut."""
    if group.count(".") == 2 and group.endswith(".conv1"):
        return [model.get_submodule(f"{group.removesuffix('conv1')}bn1")]
    stage = "layer1" if group == "conv1" else group.partition(".")[0]
    units = list(model.get_submodule(stage).children())
    return [unit.bn2 for unit in units] + [model.bn1 if group == "conv1" else units[0].downsample]  # type: ignore[list-item]


def with_zeros(model: nn.Module, removed: tuple[Removed, ...]) -> nn.Module:
    """The full network, in which nothing but zeros is in the removed channels."""
    model = copy.deepcopy(model)
    for group in removed:
        places = list(group.removed)
        for module in makers(model, group.group):
            module.register_forward_hook(
                lambda _, given, made, places=places: made.index_fill(1, torch.tensor(places), 0)
            )
    return model


@pytest.mark.parametrize("integration", ["standard", "pre", "post", "identity", "conv3x3", None])
@pytest.mark.parametrize("ratio", [0.25, 0.75])
def test_a_pruned_network_computes_what_the_full_one_does_with_zeros_in_these_channels(
    integration: str | None, ratio: float
) -> None:
    model = network(integration)
    full = copy.deepcopy(model)
    removed = prune_channels(model, ranking="l1", ratio=ratio, image_shape=SHAPE)
    assert {len(group.removed) / group.channels for group in removed} == {ratio}
    torch.testing.assert_close(model(images()), with_zeros(full, removed)(images()), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(model(images()), full(images()), atol=1e-2)


@pytest.mark.parametrize(
    "fields", [{"squeeze": "max"}, {"squeeze": "none"}, {"bias": True}, {"excitation": "tanh"}]
)
def test_other_blocks_are_pruned_likewise(fields: dict[str, object]) -> None:
    model = network("conv3x3", "resnet8", **fields)
    full = copy.deepcopy(model)
    removed = prune_channels(model, ranking="random", ratio=0.5, image_shape=SHAPE)
    torch.testing.assert_close(model(images()), with_zeros(full, removed)(images()), rtol=1e-4, atol=1e-4)


def test_the_channels_are_those_that_the_gates_weigh() -> None:
    def groups(integration: str | None) -> list[tuple[str, int]]:
        removed = prune_channels(network(integration), ranking="l1", ratio=0.5, image_shape=SHAPE)
        return [(group.group, group.channels) for group in removed]

    inside = [(f"layer{s}.{u}.conv1", c) for s, c in ((1, 16), (2, 32), (3, 64)) for u in (0, 1)]
    assert groups("conv3x3") == groups(None) == inside
    assert groups("standard") == [("conv1", 16), ("layer2.0.conv2", 32), ("layer3.0.conv2", 64)]
    assert groups("pre") == [("conv1", 16), ("layer2.0.conv2", 32), ("layer3.0.conv2", 64)]


def test_parameters_and_multiply_adds_are_those_counted_by_hand() -> None:
    model = network("conv3x3", "resnet8")
    prune_channels(model, ranking="batch-norm", ratio=0.5, image_shape=SHAPE)
    stem, classifier = 3 * 16 * 9 + 2 * 16, 64 * 10 + 10
    # (channels in, inside, out, of the bottleneck): conv1, bn1, conv2, bn2, fc1 and fc2 without biases
    units = [(16, 8, 16, 4), (16, 16, 32, 8), (32, 32, 64, 16)]
    made = [9 * i * m + 2 * m + 9 * m * o + 2 * o + 2 * m * w for i, m, o, w in units]
    assert count_parameters(model) == stem + sum(made) + classifier
    sides = [16, 8, 4]
    passes = [
        side**2 * 9 * (i * m + m * o) + 2 * m * w for (i, m, o, w), side in zip(units, sides, strict=True)
    ]
    expected = 3 * 16 * 9 * 16**2 + sum(passes) + 64 * 10
    assert count_multiply_adds(model.to("meta"), SHAPE) == expected


def test_blocks_shrink_with_the_channels_of_a_stage() -> None:
    model = network("standard", "resnet8")
    prune_channels(model, ranking="l1", ratio=0.5, image_shape=SHAPE)
    assert [tuple(model.get_submodule(f"{s}.0.se.network.fc1").weight.shape) for s in STAGES] == [  # type: ignore[union-attr]
        (4, 8), (8, 16), (16, 32),
    ]  # fmt: skip
    assert [model.get_submodule(f"{stage}.0.se").channels for stage in STAGES] == [8, 16, 32]
    assert model.get_submodule("layer2.0.conv1").weight.shape == (32, 8, 3, 3)  # type: ignore[union-attr]
    # conv1 16, inside the units 16, 32 and 64 stay; the stream has half of its channels
    units = [(8, 16, 8, 4), (8, 32, 16, 8), (16, 64, 32, 16)]
    made = [9 * i * m + 2 * m + 9 * m * o + 2 * o + 2 * o * w for i, m, o, w in units]
    assert count_parameters(model) == 3 * 8 * 9 + 2 * 8 + sum(made) + 32 * 10 + 10


def test_a_pruned_network_trains() -> None:
    model = network("standard").train()
    prune_channels(model, ranking="l1", ratio=0.5, image_shape=SHAPE)
    assert model.training
    model(images()).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_mean_gates_are_the_means_of_what_the_blocks_compute() -> None:
    model, given = network("standard", "resnet8"), images(6)
    found = mean_gates(model, [given[:4], given[4:]])
    assert sorted(found) == [f"{stage}.0.se" for stage in STAGES]
    # the first unit, written out
    stream = model.bn1(model.conv1(given)).relu()
    unit = model.layer1[0]
    branch = unit.bn2(unit.conv2(unit.bn1(unit.conv1(stream)).relu()))
    logits = unit.se.network.fc2(unit.se.network.fc1(branch.mean((2, 3))).relu())
    torch.testing.assert_close(
        found["layer1.0.se"], logits.sigmoid().mean(0).detach().double(), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(model(given), network("standard", "resnet8")(given))  # nothing is left in it


def test_the_gate_removes_the_channels_with_the_smallest_mean_over_the_blocks_of_a_stage() -> None:
    model = network("standard")
    gates = {path: torch.full((block.channels,), 0.5) for path, block in blocks_of(model).items()}
    gates["layer1.0.se"][[3, 7]] = torch.tensor([0.1, 0.4])
    gates["layer1.1.se"][[3, 7, 9]] = torch.tensor([0.9, 0.4, 0.2])  # means: 3 has 0.5, 7 has 0.4, 9 has 0.35
    first = prune_channels(model, ranking="gate", ratio=0.125, image_shape=SHAPE, evidence=Evidence(gates))[0]
    assert (first.group, first.removed) == ("conv1", (7, 9))


def test_rankings_are_those_of_the_weights() -> None:
    model = network("conv3x3", "resnet8")
    model.layer1[0].conv1.weight.data[5] *= 0.01
    model.layer1[0].bn1.weight.data[11] = -0.01
    found = {
        name: prune_channels(copy.deepcopy(model), ranking=name, ratio=0.0625, image_shape=SHAPE)[0].removed
        for name in ("l1", "batch-norm")
    }
    assert found == {"l1": (5,), "batch-norm": (11,)}


def test_chance_is_of_the_seed_and_larger_ratios_remove_more_of_the_same() -> None:
    def removed(ratio: float, seed: int) -> list[set[int]]:
        evidence = Evidence(generator=torch.Generator().manual_seed(seed))
        found = prune_channels(network(), ranking="random", ratio=ratio, image_shape=SHAPE, evidence=evidence)
        return [set(group.removed) for group in found]

    half = removed(0.5, 3)
    assert half == removed(0.5, 3)
    assert half != removed(0.5, 4)
    assert all(few < more for few, more in zip(removed(0.25, 3), half, strict=True))


def test_at_least_one_channel_is_left() -> None:
    model = network()
    prune_channels(model, ranking="l1", ratio=0.999, image_shape=SHAPE)
    assert {model.get_submodule(f"{stage}.0.conv1").out_channels for stage in STAGES} == {1}
    assert model(images()).shape == (4, 10)


def test_a_shortcut_whose_channels_can_be_removed_computes_the_same() -> None:
    given = images(2, (5, 7, 7))
    plain = ZeroPadShortcut(3, stride=2)
    shortcut = PrunedShortcut.of(plain, 5)
    torch.testing.assert_close(shortcut(given), plain(given))
    full = plain(given)  # outputs: 0, then inputs 0 to 4, then 0, 0
    shortcut.remove_outputs([1, 7])
    torch.testing.assert_close(shortcut(given), full[:, [0, 2, 3, 4, 5, 6]])
    shortcut.remove_inputs([2])  # which was output 3
    full[:, 3] = 0
    torch.testing.assert_close(shortcut(given[:, [0, 1, 3, 4]]), full[:, [0, 2, 3, 4, 5, 6]])


@pytest.mark.parametrize(
    ("backbone", "variant", "group", "count"),
    [
        ("preact-resnet20", "standard", "conv1", 3),
        ("preact-resnet20", "conv3x3", "layer1.0.conv1", 9),
        ("resnet18", "standard", "conv1", 4),
        ("wrn-16-8", "conv3x3", "layer1.0.conv1", 6),
        ("mobilenet-v1", "standard", "features.1.pointwise.conv", 13),
    ],
)
def test_networks_of_other_families_are_pruned(backbone: str, variant: str, group: str, count: int) -> None:
    shape = (3, 32, 32)
    model = build_model(backbone, SEVariant(integration=variant), num_classes=10, seed=0).eval()
    removed = prune_channels(model, ranking="l1", ratio=0.5, image_shape=shape)
    assert (removed[0].group, len(removed)) == (group, count)
    assert model(images(2, shape)).shape == (2, 10)


@pytest.mark.parametrize(
    ("backbone", "integration", "said"),
    [
        (
            "resnext50_32x4d",
            "conv3x3",
            "cannot remove channels of layer1.0.conv2: a grouped convolution has them in",
        ),
        ("shake-shake-26-2x32d", "standard", "they are concatenated, split or flattened"),
    ],
)
def test_channels_that_cannot_be_removed_alone_are_refused(
    backbone: str, integration: str, said: str
) -> None:
    model = build_model(backbone, SEVariant(integration=integration), num_classes=10, seed=0)
    before = count_parameters(model)
    with pytest.raises(UserError, match=said):
        prune_channels(model, ranking="l1", ratio=0.5, image_shape=(3, 32, 32))
    assert count_parameters(model) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"ranking": "gat", "ratio": 0.5},
            r"unknown ranking 'gat'; did you mean 'gate'\? known: batch-norm, gate",
        ),
        (
            {"ranking": "l1", "ratio": 1},
            "a ratio is the share of channels to remove, above 0 and below 1, got 1",
        ),
        ({"ranking": "l1", "ratio": 0.0}, r"above 0 and below 1, got 0\.0"),
        (
            {"ranking": "gate", "ratio": 0.5},
            "ranking 'gate': no SE block weighs the channels of layer1.0.conv1",
        ),
    ],
)
def test_what_cannot_be_pruned_is_refused(given: dict[str, object], said: str) -> None:
    model = network(None)
    before = count_parameters(model)
    with pytest.raises(UserError, match=said):
        prune_channels(model, image_shape=SHAPE, **given)  # type: ignore[arg-type]
    assert count_parameters(model) == before


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(UserError, match=r"pip install 'senet-ablations\[pruning\]'"):
        prune_channels(network(), ranking="l1", ratio=0.5, image_shape=SHAPE)


def blocks_of(model: nn.Module) -> dict[str, nn.Module]:
    return {path: module for path, module in model.named_modules() if path.endswith(".se")}


def test_there_are_four_rankings() -> None:
    assert list(RANKINGS) == ["batch-norm", "gate", "l1", "random"]


@pytest.mark.parametrize("ranking", ["l1", "batch-norm"])
def test_layers_inside_of_a_block_say_nothing_of_the_channels_that_it_weighs(ranking: str) -> None:
    model = network(block="coordinate")
    removed = prune_channels(model, ranking=ranking, ratio=0.5, image_shape=SHAPE)
    assert {len(group.removed) for group in removed} == {8, 16, 32}
    assert model(images()).isfinite().all()


@pytest.mark.parametrize("block", ["cbam", "scse"])
def test_a_block_with_one_gate_for_all_channels_is_refused(block: str) -> None:
    with pytest.raises(UserError, match="the pruned network cannot be computed"):
        prune_channels(network(block=block), ranking="l1", ratio=0.5, image_shape=SHAPE)
