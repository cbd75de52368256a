"""Run every contract of a slot on one entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from senet_core.backbones import BACKBONES, Backbone, find_backbone
from senet_core.blocks.registry import Entry
from senet_core.blocks.slots import SLOTS
from senet_core.contracts import behaviour, compilers, copies, networks
from senet_core.contracts.contract import Contract, ContractBroken, ContractResult
from senet_core.contracts.specimens import Specimen, specimens_of
from senet_core.errors import unknown

WAITS = "says nothing before"
"""How the reason begins of a contract that was skipped because another is broken."""

OF_SLOTS: tuple[Contract[Specimen], ...] = (
    behaviour.construction,
    behaviour.odd_shapes,
    behaviour.gate_broadcast,
    behaviour.input_kept,
    behaviour.determinism,
    behaviour.images_apart,
    behaviour.dead_channels,
    behaviour.gradients,
    behaviour.bf16_autocast,
    behaviour.channels_last,
    copies.deep_copy,
    copies.pickling,
    copies.fresh_process,
    copies.state_dict,
    compilers.compiles,
    compilers.exports,
)
OF_BACKBONES: tuple[Contract[Backbone], ...] = (
    networks.construction,
    networks.se_units,
    networks.names_kept,
    networks.same_weights,
    networks.gates_at_one,
    networks.gradients,
)


def contracts_of(slot: str) -> tuple[Contract[Any], ...]:
    """Return the contracts of a slot, in the order in which they are examined.

    Args:
        slot: "squeeze", "excitation", "gate", "integration" or "backbone".

    Raises:
        UserError: the slot is not known.
    """
    if slot not in SLOTS and slot != "backbone":
        raise unknown("slot", slot, [*SLOTS, "backbone"])
    return OF_BACKBONES if slot == "backbone" else OF_SLOTS


def check_entry(slot: str, name: str) -> tuple[ContractResult, ...]:
    """Examine one registered entry by every contract of its slot.

    One of the contracts starts a process: a script that calls this does so under `if __name__ == "__main__":`.

    Args:
        slot: "squeeze", "excitation", "gate", "integration" or "backbone".
        name: a registered name.

    Returns:
        A result for each contract, in order. A contract is skipped, with the reason, where the entry is excused
        from it, or where another that it builds on is not kept.

    Raises:
        UserError: the slot or the name is not known.
    """
    contracts = contracts_of(slot)
    entry = BACKBONES[name] if slot == "backbone" else SLOTS[slot][name]
    subjects: Sequence[object] = [find_backbone(name)] if slot == "backbone" else specimens_of(slot, name)
    return tuple(_examined(contracts, slot, entry, subjects))


def _examined(
    contracts: Sequence[Contract[Any]], slot: str, entry: Entry, subjects: Sequence[object]
) -> Iterator[ContractResult]:
    kept: set[str] = set()
    for contract in contracts:
        outcome, reason = "skipped", contract.excuse(slot, entry)
        missing = [needed for needed in contract.needs if needed not in kept]
        if missing:
            reason = f"{WAITS} {missing[0]!r} is kept"
        elif not reason:
            outcome, reason = _outcome(contract, slot, subjects)
        if outcome == "kept":
            kept.add(contract.name)
        yield ContractResult(slot, entry.name, contract.name, outcome, reason)


def _outcome(contract: Contract[Any], slot: str, subjects: Sequence[object]) -> tuple[str, str]:
    try:
        for subject in subjects:
            contract(subject, slot)
    except ContractBroken as broken:
        return "broken", str(broken)
    return "kept", ""
