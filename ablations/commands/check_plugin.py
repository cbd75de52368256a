"""`ablate check-plugin`: does a plug-in keep the contracts of its slots?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from senet_core.words import counted

if TYPE_CHECKING:
    from ablations.analysis.tables.screen import ScreenTable
    from senet_core.contracts import ContractResult

SHOWN = {"kept": "kept", "broken": "BROKEN", "skipped": "skipped"}


@click.command("check-plugin")
@click.argument("file")
def command(file: str) -> int:
    """Examine what plug-in FILE registers.

    Every entry is examined by the contracts of its slot, and what is broken is named.

    Takes seconds for an entry of a block, longer for a backbone. Ends with 0 if all contracts are kept, with 1 if one
    is broken, with 2 if the file cannot be loaded.
    """
    from collections import Counter

    from ablations.commands.shared.console import make_console
    from senet_core import BACKBONES, SLOTS
    from senet_core.contracts import check_entry
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    load_installed_plugins()
    origin = load_plugin_file(file)
    console = make_console()
    results: list[ContractResult] = []
    for slot, registry in {**SLOTS, "backbone": BACKBONES}.items():
        found = [check_entry(slot, name) for name in registry if registry[name].origin == origin]
        if found:
            for table in _tables(found, console.width):
                console.print(table)
        results += [result for checked in found for result in checked]
    for result in results:
        if result.outcome == "broken":
            where = f"{result.slot} {result.name}, {result.contract}"
            console.print(f"{SHOWN['broken']}: {where}: {result.reason}", soft_wrap=True)
    for reason, count in Counter(_why_skipped(r) for r in results if r.outcome == "skipped").items():
        console.print(f"skipped: {count}, {reason}", soft_wrap=True)
    if not results:
        console.print(
            "nothing to examine: a form of a block is examined with a backbone that has the block",
            soft_wrap=True,
        )
    broken = sum(result.outcome == "broken" for result in results)
    kept = sum(result.outcome == "kept" for result in results)
    verdict = "BROKEN" if broken else "KEPT" if results else "nothing examined"
    console.print(
        f"{verdict}: {origin}: {counted(kept, 'contract')} kept, {broken} broken",
        style="bold red" if broken else "bold green" if results else None,
        soft_wrap=True,
    )
    return 1 if broken else 0


def _why_skipped(result: ContractResult) -> str:
    """Return a reason that many contracts share: which broken one they wait for is seen in the table."""
    from senet_core.contracts.check import WAITS

    waits = result.reason.startswith(WAITS)
    return "which say nothing before one that is broken is mended" if waits else result.reason


def _tables(entries: Sequence[Sequence[ContractResult]], width: int) -> Iterator[ScreenTable]:
    """Lay out the entries of one slot, a column each, by contract: side by side, as many as fit."""
    from ablations.analysis.tables.screen import fits

    beside = len(entries)
    while beside > 1 and not fits(_table(entries[:beside]).table, width):
        beside -= 1
    yield _table(entries[:beside])
    if entries[beside:]:
        yield from _tables(entries[beside:], width)


def _table(entries: Sequence[Sequence[ContractResult]]) -> ScreenTable:
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table

    heads = (entries[0][0].slot, *(results[0].name for results in entries))
    rows = [
        (row[0].contract, *(SHOWN[result.outcome] for result in row)) for row in zip(*entries, strict=True)
    ]
    return text_table([Column(head, head, "left") for head in heads], rows)
