"""Everything registered keeps the contracts of its slot."""

from __future__ import annotations

from itertools import chain

import pytest

from senet_core import BACKBONES, SLOTS, UserError
from senet_core.contracts import ContractResult, check_entry, contracts_of

ENTRIES = [(slot, name) for slot, registry in SLOTS.items() for name in registry]
EXCUSED = {("integration", "gate broadcast")}
"""What no entry of a slot is examined for; every other contract must be kept, not skipped."""
SAME_CODE = {
    "resnet32": "resnet20",
    "resnet44": "resnet20",
    "resnet56": "resnet20",
    "resnet34": "resnet18",
    "resnet101": "resnet50",
    "resnet152": "resnet50",
    "resnet101-v1": "resnet50-v1",
    "resnet152-v1": "resnet50-v1",
    "resnext101_32x4d": "resnext50_32x4d",
    "resnext101_32x8d": "resnext50_32x4d",
    "resnext101_64x4d": "resnext50_32x4d",
    "resnext101_32x4d-v1": "resnext50_32x4d-v1",
    "wide_resnet101_2": "wide_resnet50_2",
    "inception-resnet-v2": "inception-resnet-v2-5-20-5",
}
"""Backbones that are another one with more units: minutes each, for nothing new."""
QUICK = {"resnet20", "mobilenet-v1", "shufflenet-v1-g3"}


def outcomes(results: tuple[ContractResult, ...], outcome: str) -> dict[str, str]:
    return {result.contract: result.reason for result in results if result.outcome == outcome}


@pytest.mark.parametrize(("slot", "name"), ENTRIES)  # registering an entry is enough to be tested
def test_every_entry_keeps_every_contract(slot: str, name: str) -> None:
    results = check_entry(slot, name)
    assert outcomes(results, "broken") == {}
    assert {(slot, contract) for contract in outcomes(results, "skipped")} <= EXCUSED
    assert [result.contract for result in results] == [contract.name for contract in contracts_of(slot)]


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in BACKBONES
        if name not in SAME_CODE
    ],
)
def test_every_backbone_keeps_every_contract(name: str) -> None:
    assert {result.reason for result in check_entry("backbone", name)} == {""}


def test_backbones_that_are_left_out_are_built_by_code_that_is_not() -> None:
    assert set(chain.from_iterable(SAME_CODE.items())) <= set(BACKBONES)
    assert not set(SAME_CODE) & set(SAME_CODE.values())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UserError, match=r"^unknown slot 'squeze'; did you mean 'squeeze'\?"):
        check_entry("squeze", "avg")
    with pytest.raises(UserError, match=r"^unknown squeeze 'avgg'; did you mean 'avg'\?"):
        check_entry("squeeze", "avgg")
    with pytest.raises(UserError, match=r"^unknown backbone 'resnet'"):
        check_entry("backbone", "resnet")
