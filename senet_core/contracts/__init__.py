"""Contracts: what every registered entry must do, each checked by a function.

A study compares entries by name, so each of them must behave as the harness takes for granted: the paper's as
well as a plug-in's. `check_entry` runs all contracts of a slot on one entry; `ablate check-plugin FILE` does so
for a plug-in file.

`contract.py` says what a contract is, `specimens.py` builds what is examined, `behaviour.py`, `copies.py` and
`compilers.py` have the contracts of the four slots, `networks.py` those of backbones, and `check.py` runs them.
"""

from __future__ import annotations

from senet_core.contracts.check import check_entry, contracts_of
from senet_core.contracts.contract import Contract, ContractBroken, ContractResult
from senet_core.contracts.specimens import Specimen, specimens_of

__all__ = [
    "Contract",
    "ContractBroken",
    "ContractResult",
    "Specimen",
    "check_entry",
    "contracts_of",
    "specimens_of",
]
