"""For every contract there is a plug-in that breaks it and no other, and the line says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from senet_core import SQUEEZES, load_plugin_file
from senet_core.contracts import ContractBroken, ContractResult, check_entry, contracts_of, specimens_of

pytestmark = pytest.mark.slow  # minutes in all


def outcomes(results: tuple[ContractResult, ...], outcome: str) -> dict[str, str]:
    return {result.contract: result.reason for result in results if result.outcome == outcome}


HEAD = """
import multiprocessing, random, time, torch
from torch import nn
from senet_core import BLOCKS, EXCITATIONS, GATES, INTEGRATIONS, SQUEEZES
"""
FUNCTION = (
    HEAD
    + '@{registry}.register("broken", source="ours: a test"{traits})\ndef broken({argument}):\n    {body}\n'
)
MODULE = (
    HEAD
    + '@{registry}.register("broken", source="ours: a test")\n'
    + "class Broken(nn.Module):\n"
    + "    def __init__(self, channels):\n        super().__init__()\n        {init}\n"
    + "    def forward(self, x):\n        {body}\n"
)


def squeeze(body: str) -> tuple[str, str]:
    return "squeeze", FUNCTION.format(registry="SQUEEZES", traits="", argument="x", body=body)


def excitation(body: str) -> tuple[str, str]:
    return "excitation", FUNCTION.format(registry="EXCITATIONS", traits="", argument="logits", body=body)


def integration(body: str) -> tuple[str, str]:
    text = FUNCTION.format(registry="INTEGRATIONS", traits=', gates="out"', argument="unit, g, x", body=body)
    return "integration", text


def module(slot: str, init: str, body: str) -> tuple[str, str]:
    return slot, MODULE.format(registry=f"{slot.upper()}S", init=init, body=body)


BROKEN = {
    "a class that is not given the channels": (
        "construction",
        (
            "squeeze",
            MODULE.format(registry="SQUEEZES", init="pass", body="return x").replace(", channels", ""),
        ),
        "SE block: TypeError: Broken.__init__() takes 1 positional argument but 2 were given",
    ),
    "one module for all blocks": (
        "construction",
        (
            "excitation",
            HEAD + 'EXCITATIONS.register("broken", source="ours: a test")(nn.PReLU())\n',
        ),
        "two of the kind SE block share 1 parameters",
    ),
    "a squeeze that leaves axes": (
        "odd shapes",
        squeeze("return x.mean(dim=2).unsqueeze(0)"),
        "the squeeze makes (1, 2, 16, 7) of a map (2, 16, 5, 7)",
    ),
    "a spread that is not defined at one position": (
        "odd shapes",
        squeeze("return x.sub(x.mean((2, 3), True)).square().sum((2, 3)) / (x[0, 0].numel() - 1)"),
        "SE block makes NaN or infinity of a map (1, 16, 1, 1)",
    ),
    "a gate of the wrong shape": (
        "odd shapes",
        (
            "gate",
            HEAD
            + '@GATES.register("broken", source="ours: a test")\n'
            + "def broken(channels, *, width, bias):\n    return nn.Flatten()\n",
        ),
        "the gate makes (2, 560) of descriptors (2, 16, 5, 7)",
    ),
    "one gate for all channels": (
        "gate broadcast",
        excitation("return logits.mean(dim=1, keepdim=True).sigmoid()"),
        "SE block has weights (2, 1, 1, 1) for a map (2, 16, 5, 7)",
    ),
    "a block that says one gate for all channels": (
        "gate broadcast",
        (
            "block",
            HEAD
            + '@BLOCKS.register("broken", source="ours: a test")\n'
            + "class Broken(nn.Module):\n"
            + "    def __init__(self, channels, *, width):\n        super().__init__()\n"
            + "        self.conv = nn.Conv2d(channels, 1, 1)\n"
            + "    def weights(self, x):\n        return self.conv(x).sigmoid()\n"
            + "    def forward(self, x):\n        return x * self.weights(x)\n",
        ),
        "block has weights (2, 1, 5, 7) for a map (2, 16, 5, 7)",
    ),
    "a squeeze that rectifies in place": (
        "input kept",
        squeeze("return x.relu_().mean(dim=(2, 3))"),
        "SE block changes its input in place",
    ),
    "noise in evaluation": (
        "determinism",
        excitation("return logits.sigmoid() * (0.9 + 0.1 * torch.rand_like(logits))"),
        "SE block computes something else the second time, in evaluation",
    ),
    "noise that no seed reaches": (
        "determinism",
        module("squeeze", "pass", "return x.mean((2, 3)) * (random.random() if self.training else 1)"),
        "SE block computes something else under the same seed, in training",
    ),
    "statistics of the batch": (
        "images apart",
        squeeze("z = x.mean(dim=(2, 3)); return z - z.mean(dim=0)"),
        "SE block makes something else of an image when others are in its batch",
    ),
    "a root at zero": (
        "dead channels",
        squeeze("return x.square().mean(dim=(2, 3)).sqrt()"),
        "in SE block the gradient of its input is NaN or infinite for zeros",
    ),
    "a parameter that nothing depends on": (
        "gradients",
        module("excitation", "self.scale = nn.Parameter(torch.ones(1))", "return x.sigmoid()"),
        "in SE block no gradient reaches excitation.scale",
    ),
    "a parameter whose gradient is always 0": (
        "gradients",
        module(
            "excitation", "self.scale = nn.Parameter(torch.ones(()))", "return x.sigmoid() + 0 * self.scale"
        ),
        "in SE block the gradient of excitation.scale is 0 under each of 5 seeds",
    ),
    "a hard gate": (
        "gradients",
        excitation("return (logits > 0).to(logits.dtype)"),
        "in SE block no gradient reaches network.fc1.weight",
    ),
    "an integration without its SE block": (
        "gradients",
        integration("return unit.finish(unit.branch(x) + unit.shortcut(x))"),
        "in CIFAR unit no gradient reaches se.network.fc1.weight",
    ),
    "a sum in float32": (
        "bf16 autocast",
        integration("return unit.finish(g.scale_add(unit.branch(x), unit.shortcut(x)).float())"),
        "CIFAR unit makes torch.float32 of a torch.bfloat16 map",
    ),
    "a copy in another memory format": (
        "channels last",
        integration("return unit.finish(g.scale_add(unit.branch(x), unit.shortcut(x))).contiguous()"),
        "CIFAR unit makes strides (280, 35, 7, 1) for shape (2, 8, 5, 7) of a channels_last map",
    ),
    "a tensor that was kept for a look": (
        "deep copy",
        module(
            "squeeze",
            "self.last = None",
            "z = x.mean((2, 3))\n        if self.training: self.last = z\n        return z",
        ),
        "SE block: RuntimeError: Only Tensors created explicitly by the user",
    ),
    "a lambda": (
        "pickling",
        module("squeeze", "self.mean = lambda x: x.mean((2, 3))", "return self.mean(x)"),
        "SE block: ",
    ),
    "a constant of the process": (
        "fresh process",
        (
            "squeeze",
            HEAD
            + "MAIN = multiprocessing.parent_process() is None\n"
            + '@SQUEEZES.register("broken", source="ours: a test")\n'
            + "def broken(x):\n    return x.mean((2, 3)) * (1 if MAIN else 2)\n",
        ),
        "SE block computes something else there",
    ),
    "a number outside the state dict": (
        "state dict",
        module("excitation", "self.scale = float(torch.rand(()))", "return x.sigmoid() * self.scale"),
        "SE block and one with the same state dict compute different outputs",
    ),
    "a look at the clock": (
        "torch.compile",
        squeeze("time.perf_counter(); return x.mean((2, 3))"),
        "SE block: ",
    ),
    "a loop over the images": (
        "torch.export",
        squeeze("return torch.stack([image.mean((1, 2)) for image in x])"),
        "SE block: ",
    ),
}


@pytest.mark.usefixtures("own_registries")
class TestBrokenPlugin:
    @pytest.mark.parametrize("what", BROKEN)
    def test_is_caught_by_its_contract_alone(self, tmp_path: Path, what: str) -> None:
        contract, (slot, text), found = BROKEN[what]
        (tmp_path / "broken.py").write_text(text, encoding="utf-8")
        load_plugin_file(tmp_path / "broken.py")
        results = check_entry(slot, "broken")
        reasons = outcomes(results, "broken")
        assert list(reasons) == [contract]
        promised = next(known for known in contracts_of(slot) if known.name == contract)
        assert reasons[contract].startswith(f"promised: {promised.promise}; found: {found}")
        assert reasons[contract].endswith(f"; to mend: {promised.remedy(slot)}")
        assert "\n" not in reasons[contract]
        for skipped, reason in outcomes(results, "skipped").items():
            assert reason.startswith("says nothing before ") or (slot, skipped) == (
                "integration",
                "gate broadcast",
            )

    def test_there_is_one_for_every_contract(self) -> None:
        assert {contract for contract, _, _ in BROKEN.values()} == {
            contract.name for contract in contracts_of("squeeze")
        }

    def test_a_contract_is_a_function_that_raises(self) -> None:
        @SQUEEZES.register("root", source="ours: a test")
        def root(x: torch.Tensor) -> torch.Tensor:
            return x.square().sum(dim=(2, 3)).sqrt()

        dead = next(contract for contract in contracts_of("squeeze") if contract.name == "dead channels")
        (specimen,) = specimens_of("squeeze", "root")
        with pytest.raises(ContractBroken, match=r"^promised: has finite outputs and gradients"):
            dead(specimen, "squeeze")

    def test_what_is_registered_by_hand_is_excused_from_the_fresh_process(self) -> None:
        @SQUEEZES.register("by-hand", source="ours: a test")
        class ByHand(torch.nn.Module):
            def __init__(self, channels: int) -> None:
                super().__init__()

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x.mean(dim=(2, 3))

        results = check_entry("squeeze", "by-hand")
        assert list(outcomes(results, "broken")) == ["pickling"]  # a class inside a function
        ByHand.__qualname__ = "ByHand"
        globals()["ByHand"] = ByHand
        assert outcomes(check_entry("squeeze", "by-hand"), "skipped") == {
            "fresh process": "it is registered by the running program; another process finds only files, packages"
            " and built-ins"
        }
