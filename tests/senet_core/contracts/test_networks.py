"""A backbone of a plug-in: a good one, and one that breaks each contract and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_core import load_plugin_file
from senet_core.contracts import ContractResult, check_entry, contracts_of

pytestmark = pytest.mark.slow  # minutes in all


def outcomes(results: tuple[ContractResult, ...], outcome: str) -> dict[str, str]:
    return {result.contract: result.reason for result in results if result.outcome == outcome}


NETWORK = """
import random
import torch
from torch import nn
from senet_core import BACKBONES
from senet_core.units import Channels, ResidualForm, unit_form

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
    def forward(self, x):
        return (x + self.conv2(self.conv1(x).relu())).relu()

@unit_form(f"{__name__}.Block")
class Form(ResidualForm):
    def channels(self, block):
        return Channels(8, 8, 8)
    def branch(self, unit, x, inside):
        inner = unit.conv1(x).relu()
        return unit.conv2(inner if inside is None else inside(inner))

class Net(nn.Module):
    def __init__(self, classes, images):
        super().__init__()
        self.stem = nn.Conv2d(images, 8, 3, stride=2)
        self.layer1 = nn.Sequential(Block(), Block())
        self.fc = nn.Linear(8, classes)
    def forward(self, x):
        return self.fc(self.layer1(self.stem(x)).mean(dim=(2, 3)))

@BACKBONES.register("tiny", source="ours: a test", stages={2: "layer1"}, image_size=9)
def tiny(*, num_classes, in_channels):
    return Net(num_classes, in_channels)
"""
BROKEN_NETWORKS = {
    "ten classes, always": (
        "construction",
        ("Net(num_classes, in_channels)", "Net(10, in_channels)"),
        "(1, 10) for 1 image of 1 channels and 9 pixels, not (1, 7)",
    ),
    "three channels, always": (
        "construction",
        ("Net(num_classes, in_channels)", "Net(num_classes, 3)"),
        "tiny: RuntimeError: Given groups=1, weight of size [8, 3, 3, 3], expected input[1, 1, 9, 9]",
    ),
    "a stage somewhere else": (
        "SE units",
        ('{2: "layer1"}', '{2: "layer2"}'),
        "tiny: UserError: Net has no module 'layer2', where a stage was said to be",
    ),
    "a stage without units": (
        "SE units",
        ('{2: "layer1"}', '{2: "fc"}'),
        "tiny: UserError: Net has no units in 'fc': a stage is the path of the module whose children are its units",
    ),
    "a block that nobody taught": (
        "SE units",
        ("@unit_form", "@(lambda name: lambda form: form)"),
        "tiny: UserError: cannot put an SE block into senet_core_plugin_",
    ),
    "state that a unit does not take over": (
        "names kept",
        (
            "    def forward(self, x):\n        return (x",
            "    def get_extra_state(self):\n        return 1\n    def set_extra_state(self, state):\n        pass\n"
            "    def forward(self, x):\n        return (x",
        ),
        "conv3x3 loses layer1.0._extra_state",
    ),
    "weights of another generator": (
        "same weights",
        (
            "        self.fc = nn.Linear(8, classes)\n",
            "        self.fc = nn.Linear(8, classes)\n        nn.init.constant_(self.fc.bias, random.random())\n",
        ),
        "fc.bias is another in the network with conv3x3 SE blocks",
    ),
    "a form without the block's first ReLU": (
        "gates at one",
        ("inner = unit.conv1(x).relu()", "inner = unit.conv1(x)"),
        "with conv3x3 SE blocks and gates of 1 the logits are others",
    ),
    "a layer that is not used": (
        "gradients",
        (
            "        self.fc = nn.Linear(8, classes)\n",
            "        self.fc = nn.Linear(8, classes)\n        self.old = nn.Linear(8, classes)\n",
        ),
        "no gradient reaches old.weight (plain)",
    ),
}


@pytest.mark.usefixtures("own_registries")
class TestBackbone:
    def test_of_a_plugin_keeps_the_contracts(self, tmp_path: Path) -> None:
        (tmp_path / "tiny.py").write_text(NETWORK, encoding="utf-8")
        load_plugin_file(tmp_path / "tiny.py")
        assert {result.outcome for result in check_entry("backbone", "tiny")} == {"kept"}

    @pytest.mark.parametrize("what", BROKEN_NETWORKS)
    def test_that_is_broken_is_caught_by_its_contract_alone(self, tmp_path: Path, what: str) -> None:
        contract, (right, wrong), found = BROKEN_NETWORKS[what]
        assert right in NETWORK
        (tmp_path / "tiny.py").write_text(NETWORK.replace(right, wrong), encoding="utf-8")
        load_plugin_file(tmp_path / "tiny.py")
        results = check_entry("backbone", "tiny")
        reasons = outcomes(results, "broken")
        assert list(reasons) == [contract]
        assert f"; found: {found}" in reasons[contract]

    def test_there_is_a_broken_one_for_every_contract(self) -> None:
        assert {contract for contract, _, _ in BROKEN_NETWORKS.values()} == {
            contract.name for contract in contracts_of("backbone")
        }
