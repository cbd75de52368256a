"""The gates of a network, collected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ablations.running.probe.collecting import CollectedGates, collect_gates
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.model import build_model
from senet_core.variants.variant import SEVariant

IMAGES, CLASSES = 12, 4
LABELS = np.arange(IMAGES) % CLASSES


def images(size: int = 16, channels: int = 3) -> Tensor:
    return torch.randn(IMAGES, channels, size, size, generator=torch.Generator().manual_seed(0))


def network(backbone: str = "resnet8", **fields: Any) -> nn.Module:
    return build_model(backbone, SEVariant(reduction=4, **fields), num_classes=CLASSES, seed=0)


def collect(model: nn.Module, backbone: str = "resnet8", **more: Any) -> CollectedGates:
    return collect_gates(model, images().split(5), LABELS, stages=find_backbone(backbone).stages, **more)


@pytest.mark.parametrize("integration", ["standard", "pre", "post", "identity", "conv3x3"])
def test_gates_are_those_of_the_block_wherever_it_stands(integration: str) -> None:
    model = network(integration=integration).eval()
    seen: list[Tensor] = []
    unit = model.get_submodule("layer2.0")
    computed = unit.se.squeeze  # type: ignore[union-attr]
    unit.se.squeeze = lambda x: (seen.append(x), computed(x))[1]  # type: ignore[union-attr, operator]
    found = collect(model)
    assert [u.name for u in found.units] == ["SE_2_1", "SE_3_1", "SE_4_1"]
    second = found.units[1]
    x = torch.cat(seen)
    gates = torch.sigmoid(unit.se.network(x.mean(dim=(2, 3))))  # type: ignore[union-attr, operator]
    np.testing.assert_allclose(second.gates, gates.detach(), rtol=1e-5)
    assert second.before is not None
    assert second.after is not None
    np.testing.assert_allclose(second.before, x.mean(dim=(2, 3)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(second.after, second.before * second.gates, rtol=1e-3, atol=1e-6)
    assert second.gates.dtype == np.float32
    assert second.ends == (0, 1)


def test_the_network_is_left_as_it_was() -> None:
    model = network().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        expected = model.eval()(images())
        model.train()
    collect(model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with torch.no_grad():
        assert torch.equal(model.eval()(images()), expected)
    assert not any("weights" in vars(module) for module in model.modules())


@pytest.mark.parametrize(("excitation", "ends"), [("sigmoid", (0, 1)), ("tanh", (-1, 1)), ("relu", None)])
def test_ends_are_those_of_the_excitation(excitation: str, ends: tuple[float, float] | None) -> None:
    assert {unit.ends for unit in collect(network(excitation=excitation)).units} == {ends}


@pytest.mark.parametrize(("fusion", "neutral"), [("scale", 1), ("add", 0), ("one-plus-scale", 0)])
def test_what_follows_the_block_is_what_its_fusion_makes(fusion: str, neutral: float) -> None:
    unit = collect(network(fusion=fusion)).units[2]
    assert unit.neutral == neutral
    assert unit.before is not None
    assert unit.after is not None
    made = {"scale": unit.before * unit.gates, "add": unit.before + unit.gates}
    expected = made.get(fusion, unit.before * (1 + unit.gates))
    np.testing.assert_allclose(unit.after, expected, rtol=1e-3, atol=1e-6)


def test_a_gate_for_each_position_is_its_mean() -> None:
    model = network(squeeze="none")
    found = collect(model).units[0]
    assert found.gates.shape == (IMAGES, 16)
    assert 0.2 < found.gates.min() < found.gates.max() < 0.8
    assert found.ends == (0, 1)


def test_stages_without_gates_have_no_units() -> None:
    assert [unit.name for unit in collect(network("resnet20", stages=(3,)), "resnet20").units] == [
        "SE_3_1",
        "SE_3_2",
        "SE_3_3",
    ]


def test_a_block_without_gates_is_named_and_the_others_are_read() -> None:
    model = network()
    model.get_submodule("layer1.0").se = nn.Identity()  # type: ignore[assignment]
    model.get_submodule("layer1.0").forward = lambda x: x  # type: ignore[method-assign]
    found = collect(model)
    assert [unit.name for unit in found.units] == ["SE_3_1", "SE_4_1"]
    assert found.not_probed == {"layer1.0": "its block computes no gates"}


def test_a_gate_for_all_channels_is_named() -> None:
    model = network()
    block = model.get_submodule("layer1.0").se
    block.gates = lambda squeezed: squeezed.mean(dim=1, keepdim=True)  # type: ignore[union-attr, assignment]
    reason = collect(model).not_probed["layer1.0"]
    assert reason == "it has 1 x 1 x 1 gates for each image, and not one for each of 16 channels"


def test_networks_without_gates_are_refused() -> None:
    with pytest.raises(UserError, match="CifarResNet has no gates to probe"):
        collect(build_model("resnet8", None, num_classes=CLASSES))
    with pytest.raises(UserError, match="there are 12 images and 3 labels"):
        collect_gates(network(), [images()], LABELS[:3])


def test_blocks_of_torchvision_are_read_by_their_last_layer() -> None:
    from torchvision.models import efficientnet_b0

    torch.manual_seed(0)
    model = efficientnet_b0(num_classes=CLASSES)
    found = collect_gates(model, [images(32)], LABELS)
    assert len(found.units) == 16
    assert found.units[0].name == "SE_1_1"  # at half the resolution
    assert found.units[-1].stage == 5
    assert {unit.ends for unit in found.units} == {(0, 1)}
    first = found.units[0]
    assert first.before is not None
    assert first.after is not None
    np.testing.assert_allclose(first.after, first.before * first.gates, rtol=1e-3, atol=1e-6)


def test_blocks_of_timm_are_read() -> None:
    timm = pytest.importorskip("timm")
    found = collect_gates(timm.create_model("seresnet18", num_classes=CLASSES), [images(32)], LABELS)
    assert [unit.name for unit in found.units] == [f"SE_{s}_{p}" for s in (2, 3, 4, 5) for p in (1, 2)]


class Own(nn.Module):
    """A network of which nothing is known."""

    def __init__(self) -> None:
        super().__init__()
        self.squash = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return x * self.squash(x.mean(dim=(2, 3)))[:, :, None, None]


def test_any_module_may_be_named_as_the_gate() -> None:
    found = collect_gates(Own(), [images()], LABELS, named={"SE_4_6": "squash"})
    [unit] = found.units
    assert (unit.name, unit.stage, unit.before, unit.after) == ("SE_4_6", 4, None, None)
    np.testing.assert_allclose(unit.gates, torch.sigmoid(images().mean(dim=(2, 3))), rtol=1e-6)
    with pytest.raises(UserError, match="unknown module 'squish'; did you mean 'squash'"):
        collect_gates(Own(), [images()], LABELS, named={"one": "squish"})
