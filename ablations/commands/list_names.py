"""`ablate list`: every name that a study can use, with its source."""

from __future__ import annotations

import json
from inspect import isclass
from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options

if TYPE_CHECKING:
    from senet_core.backbones.catalog import Pattern
    from senet_core.blocks.registry import Entry

_EXPLAINED = (
    "parameters: what one learns for C channels and reduction r; bias: true adds to a gate's; k is how many neighbours"
    " it reads. Those of whole networks: ablate complexity."
)


@click.command("list")
@click.argument("slot", required=False)
@options.plugins
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(slot: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """Show the names of SLOT (squeeze, excitation, gate, integration, backbone, recipe, optimizer, loss), or of all.

    Backbones come in families, too, such as resnetN: any of their members is accepted without being listed by name.
    """
    from senet_core import BACKBONES, SLOTS
    from senet_core.backbones.catalog import PATTERNS
    from senet_core.errors import unknown
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    load_installed_plugins()
    for file in plugins:
        load_plugin_file(file)
    registries, trainings = {**SLOTS, "backbone": BACKBONES}, _of_recipes()
    slots = [*registries, *trainings]
    if slot is not None and slot not in slots:
        raise unknown("slot", slot, slots)
    chosen = {name: registry for name, registry in registries.items() if slot in (None, name)}
    rows = [
        {
            "slot": name,
            "name": entry,
            "parameters": _parameters(registry[entry]),
            "source": registry[entry].source,
            "differs": registry[entry].differs,
            "origin": str(registry[entry].origin),
        }
        for name, registry in chosen.items()
        for entry in registry
    ]
    if "backbone" in chosen:
        rows += map(_family, PATTERNS)
    rows += [
        {"slot": name, "name": entry, "parameters": "", "source": source, "differs": "", "origin": "built-in"}
        for name, entries in trainings.items()
        if slot in (None, name)
        for entry, source in entries.items()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    from ablations.analysis.tables.cells import Column
    from ablations.analysis.tables.screen import text_table
    from ablations.commands.shared.console import make_console

    giving_way = {"slot": 0, "name": 0, "parameters": 0, "source": 3, "differs": 2, "origin": 1}
    columns = [Column(name, name, "left", turn) for name, turn in giving_way.items()]
    console = make_console()
    console.print(text_table(columns, [tuple(row.values()) for row in rows]))
    if any(row["parameters"] for row in rows):
        console.print(_EXPLAINED)


def _parameters(entry: Entry) -> str:
    """Return how many parameters an entry says it learns, where it does; a plain function learns none."""
    said: str = entry.traits.get("parameters", "")
    learns = isclass(entry.build) or entry.traits.get("factory", True)
    return said or ("" if learns else "0")


def _of_recipes() -> dict[str, dict[str, str]]:
    """Return the names that a recipe may say, with their sources, by the field."""
    from ablations.planning.networks.recipes.losses import LOSSES
    from ablations.planning.networks.recipes.named import RECIPE_SOURCES
    from ablations.planning.networks.recipes.optimizers import OPTIMIZERS

    optimizers = {name: facts.source for name, facts in OPTIMIZERS.items()}
    return {"recipe": RECIPE_SOURCES, "optimizer": optimizers, "loss": LOSSES}


def _family(family: Pattern) -> dict[str, str]:
    """Return a family of backbones as a row of the list."""
    name, _, rule = family.shown.partition(" with ")
    return {
        "slot": "backbone family",
        "name": name,
        "parameters": "",
        "source": f"with {rule}" if rule else "",
        "differs": "; ".join([f"such as {family.members}", *filter(None, [family.differs])]),
        "origin": "built-in",
    }
