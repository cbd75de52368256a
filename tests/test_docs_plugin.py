"""docs/writing-a-plugin.md and README do what they say: their examples are plug-ins that keep every contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from senet_core import SEVariant, build_model, load_plugin_file, plugins
from senet_core.contracts import check_entry, contracts_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENTRIES = {
    "squeeze": "rms",
    "excitation": "warm",
    "gate": "smooth",
    "block": "joint-cbam",
    "integration": "merged",
    "backbone": "two-stages",
}


@pytest.fixture
def _unregistered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is loaded in a test is gone after it."""
    from senet_core import resnet_forms  # noqa: F401  # what is built in stays

    for registry in plugins.registries():
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(plugins, "_loaded", {})


@pytest.fixture
def _loaded(tmp_path: Path, _unregistered: None) -> None:
    """Load the page's examples as a file."""
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(examples) == len(ENTRIES)
    (tmp_path / "mine.py").write_text("\n".join(examples), encoding="utf-8")
    load_plugin_file(tmp_path / "mine.py")


@pytest.mark.usefixtures("_loaded")
@pytest.mark.parametrize("slot", ENTRIES)
def test_every_example_keeps_every_contract(slot: str) -> None:
    assert {
        result.reason for result in check_entry(slot, ENTRIES[slot]) if result.outcome == "broken"
    } == set()


@pytest.mark.usefixtures("_loaded")
def test_the_examples_make_one_network() -> None:
    names = {slot: name for slot, name in ENTRIES.items() if slot not in ("backbone", "block")}
    model = build_model("two-stages", SEVariant(**names), num_classes=10, seed=0)
    assert sum(name.endswith("se.excitation.slope") for name in model.state_dict()) == 4
    whole = SEVariant(block=ENTRIES["block"], integration=ENTRIES["integration"])
    model = build_model("two-stages", whole, num_classes=10, seed=0)
    assert sum(name.endswith("se.body.conv.weight") for name in model.state_dict()) == 4


@pytest.mark.parametrize("slot", ["squeeze", "backbone"])
def test_the_page_lists_every_contract_with_its_promise(slot: str) -> None:
    for contract in contracts_of(slot):
        assert f"| {contract.name} | {contract.promise} |" in PAGE


@pytest.mark.usefixtures("_unregistered")
def test_the_squeeze_of_the_readme_keeps_every_contract(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(# rms\.py\n.*?)```", README, flags=re.DOTALL)
    (tmp_path / "rms.py").write_text(example, encoding="utf-8")
    load_plugin_file(tmp_path / "rms.py")
    results = check_entry("squeeze", "rms")
    assert {result.reason for result in results if result.outcome == "broken"} == set()
    assert len(results) == len(contracts_of("squeeze"))
