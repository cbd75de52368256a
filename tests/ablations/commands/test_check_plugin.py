"""`ablate check-plugin`: a table, a line for what is broken, and the status."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from senet_core import plugins
from senet_core.backbones import find_backbone
from senet_core.contracts import contracts_of

HEAD = "from senet_core import EXCITATIONS, SQUEEZES\n"
SPREAD = """
@SQUEEZES.register("{name}", source="ours: a test")
def {name}(x):
    return x.var(dim=(2, 3), correction=0){clamp}.sqrt()
"""
GOOD = HEAD + SPREAD.format(name="spread", clamp=".clamp_min(1e-6)")
HARD = """
@EXCITATIONS.register("hard", source="ours: a test")
def hard(logits):
    return (logits > 0).to(logits.dtype)
"""


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test loads is gone after it."""
    from senet_core import resnet_forms  # noqa: F401  # what is built in stays

    for registry in plugins.registries():
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(plugins, "_loaded", {})


def table_of(text: str) -> dict[str, list[str]]:
    """The cells of a printed table, by the name of their row."""
    names = ["squeeze", "excitation", *(contract.name for contract in contracts_of("squeeze"))]
    return {
        name: line[len(name) :].split()
        for line in map(str.strip, text.splitlines())
        for name in names
        if line.startswith(name)
    }


def test_a_good_plugin_keeps_everything(ablate: Callable[..., Any]) -> None:
    Path("good.py").write_text(GOOD, encoding="utf-8")
    said = ablate("check-plugin", "good.py")
    assert said.status == 0, said.out
    rows = table_of(said.out)
    assert rows.pop("squeeze") == ["spread"]
    assert rows == {contract.name: ["kept"] for contract in contracts_of("squeeze")}
    assert said.out.endswith("\nKEPT: file good.py: 16 contracts kept, 0 broken\n")


def test_a_broken_one_is_said_with_the_reason_and_the_remedy(ablate: Callable[..., Any]) -> None:
    text = GOOD + SPREAD.format(name="unclamped", clamp="") + HARD
    Path("broken.py").write_text(text, encoding="utf-8")
    said = ablate("check-plugin", "broken.py")
    assert said.status == 1
    rows = table_of(said.out)
    assert rows["squeeze"] == ["spread", "unclamped"]
    assert rows["excitation"] == ["hard"]
    lines = [line for line in said.out.splitlines() if line.startswith(("BROKEN", "skipped"))]
    assert lines == [
        "BROKEN: squeeze unclamped, dead channels: promised: has finite outputs and gradients on maps and channels that"
        " are zero everywhere; found: in SE block the gradient of its input is NaN or infinite for zeros; to mend:"
        " roots, logarithms and norms have no finite slope at 0: clamp first, as in x.clamp_min(1e-6).sqrt()",
        "BROKEN: excitation hard, gradients: promised: leaves no parameter without a gradient; found: in SE block no"
        " gradient reaches network.fc1.weight; to mend: use every parameter on the way to the output, without detach(),"
        " rounding or comparisons; what is not learned is a buffer",
        "skipped: 1, which say nothing before one that is broken is mended",
        "BROKEN: file broken.py: 45 contracts kept, 2 broken",
    ]
    assert said.out.endswith("\nBROKEN: file broken.py: 45 contracts kept, 2 broken\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read plug-in 'mine.py': No such file or directory"),
        ("x = 1", "plug-in mine.py registers nothing;"),
        ("1 / 0", "plug-in mine.py fails when loaded: ZeroDivisionError: division by zero"),
        (
            GOOD.replace("spread", "avg"),
            "plug-in mine.py: squeeze 'avg' is registered twice (first by built-in)",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_bad_input(
    ablate: Callable[..., Any], content: str | None, reason: str
) -> None:
    if content is not None:
        Path("mine.py").write_text(content, encoding="utf-8")
    said = ablate("check-plugin", "mine.py")
    assert said.status == 2
    assert said.err.startswith(f"ablate: {reason}")
    assert said.out == ""


def test_a_form_alone_is_said_to_be_examined_elsewhere(ablate: Callable[..., Any]) -> None:
    text = "from senet_core.units import OutputForm, unit_form\n"
    text += "@unit_form('their.Block')\nclass Form(OutputForm): pass\n"
    Path("form.py").write_text(text, encoding="utf-8")
    said = ablate("check-plugin", "form.py")
    assert said.status == 0
    assert said.out.startswith("nothing to examine: a form of a block is examined with a backbone")


def test_help_and_list(ablate: Callable[..., Any]) -> None:
    assert ablate("check-plugin", "--help").out.startswith("Usage: ablate check-plugin")
    assert "check-plugin" in ablate("--help").out


GATE = """
from torch import nn
from senet_core import GATES
@GATES.register("odd", source="ours: a test")
class Odd(nn.Module):
    def __init__(self, channels, *, width, bias):
        super().__init__()
        self.layer = nn.Linear(channels, channels + 1)
    def forward(self, z):
        return self.layer(z)
"""


def test_the_verdict_of_many_skipped_contracts_is_the_last_line(ablate: Callable[..., Any]) -> None:
    """A gate gets a gate's advice, and what says nothing yet is a number."""
    Path("gate.py").write_text(GATE, encoding="utf-8")
    said = ablate("check-plugin", "gate.py")
    below = said.out.splitlines()[-3:]
    assert [line.partition(":")[0] for line in below] == ["BROKEN", "skipped", "BROKEN"]
    assert "to mend: return a logit for each descriptor, in the shape of the descriptors" in below[0]
    assert below[1].startswith("skipped: 14, ")
    assert below[2] == "BROKEN: file gate.py: 1 contract kept, 1 broken"


@pytest.mark.parametrize("slot", ["squeeze", "excitation", "gate", "integration"])
def test_no_slot_gets_the_advice_of_another(slot: str) -> None:
    words = {
        "squeeze": ["logit", "descriptor"], "excitation": ["keepdim", "descriptor"], "gate": ["keepdim", "weight for"],
        "integration": ["keepdim", "logit", "descriptor"],
    }  # fmt: skip
    for contract in contracts_of(slot):
        excused = (slot, contract.name) == ("integration", "gate broadcast")
        advice = "" if excused else contract.remedy(slot)
        assert not any(word in advice for word in words[slot]), (contract.name, advice)


def test_the_list_shows_the_families_of_backbones(ablate: Callable[..., Any]) -> None:
    rows = json.loads(ablate("list", "backbone", "--json").out)
    families = [row for row in rows if row["slot"] == "backbone family"]
    assert {row["name"] for row in families} >= {"resnetN", "preact-resnetN", "wrn-D-K"}
    for row in families:
        members = re.findall(r"[\w-]+\d+\w*", row["differs"].partition(";")[0])
        assert len(members) >= 3
        for name in members:
            assert find_backbone(name).name == name
    assert "resnet8" in ablate("list").out
