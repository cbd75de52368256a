"""Contracts: a promise, the function that examines it, and the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from senet_core.blocks.registry import Entry
from senet_core.errors import typed_line

Subject = TypeVar("Subject")
LONGEST_FINDING = 400
"""Characters of somebody else's error message that are quoted."""


class ContractBroken(AssertionError):
    """A broken contract: what was promised, what was found, and how to mend it, in one line."""

    def __init__(self, promised: str, found: str, mend: str) -> None:
        super().__init__(f"promised: {promised}; found: {found}; to mend: {mend}")


class Found(Exception):
    """What was found instead of what was promised; `Contract` adds the promise and the remedy."""


@dataclass(frozen=True)
class Contract(Generic[Subject]):
    """One promise of an entry; it is called with what is to be examined.

    Attributes:
        name: a few words, as the table of `ablate check-plugin` shows it.
        promise: the promise, in one clause.
        mend: what most often mends a broken one; by slot where entries of each slot need another advice.
        examine: raises `Found`, or whatever the entry raises, where the promise is broken.
        needs: names of contracts without which this one says nothing new.
        excuse: returns why an entry of a slot is not examined; empty where it is.

    Raises:
        ContractBroken: when called, if the promise does not hold.
    """

    name: str
    promise: str
    mend: str | Mapping[str, str]
    examine: Callable[[Subject], None]
    needs: tuple[str, ...] = ()
    excuse: Callable[[str, Entry], str] = lambda slot, entry: ""

    def __call__(self, subject: Subject, slot: str) -> None:
        """Examine one subject, for an entry of a slot."""
        try:
            self.examine(subject)
        except Found as found:
            raise ContractBroken(self.promise, str(found), self.remedy(slot)) from found
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an entry is foreign code: whatever it raises is a finding
            said = typed_line(error)[:LONGEST_FINDING]
            raise ContractBroken(self.promise, f"{subject}: {said}", self.remedy(slot)) from error

    def remedy(self, slot: str) -> str:
        """Return what most often mends an entry of a slot."""
        return self.mend if isinstance(self.mend, str) else self.mend[slot]


def contract(
    name: str,
    *,
    promise: str,
    mend: str | Mapping[str, str],
    needs: tuple[str, ...] = (),
    excuse: Callable[[str, Entry], str] = lambda slot, entry: "",
) -> Callable[[Callable[[Subject], None]], Contract[Subject]]:
    """Turn the decorated function into a contract; see `Contract`."""

    def make(examine: Callable[[Subject], None]) -> Contract[Subject]:
        made = Contract(name, promise, mend, examine, needs, excuse)
        object.__setattr__(made, "__doc__", examine.__doc__)
        return made

    return make


@dataclass(frozen=True)
class ContractResult:
    """The result of one contract for one entry.

    Attributes:
        slot: the entry's slot, or "backbone".
        name: the entry's name.
        contract: the contract's name.
        outcome: "kept", "broken" or "skipped".
        reason: why it is broken or was skipped, in one line; empty where it is kept.
    """

    slot: str
    name: str
    contract: str
    outcome: str
    reason: str = ""
