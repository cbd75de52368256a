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

PUBLISHED_SLOT = "published"
_CHANNELS, _REDUCTION, _SIDE = 64, 16, 8
_PARAMETERS = (
    "parameters: what one learns for C channels and reduction r; bias: true adds to a gate's; k is how many neighbours"
    " it reads."
)
_MULTIPLY_ADDS = (
    f"multiply-adds: of a whole block with C = {_CHANNELS} and r = {_REDUCTION},"
    f" on a map of {_SIDE} x {_SIDE}."
)
_OF_NETWORKS = "Those of whole networks: ablate complexity."


@click.command("list")
@click.argument("slot", required=False)
@options.plugins
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(slot: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """Show the names of SLOT, or of all slots.

    Slots are squeeze, gate, excitation, block, backbone, recipe and others.

    Under `published` are variants that have a name of their own, for a baseline and for the axis `variant`. Backbones
    come in families, too, such as resnetN: any of their members is accepted without being listed by name. `ablate list
    block` counts the multiply-adds of whole blocks, too.
    """
    from senet_core import BACKBONES, SLOTS
    from senet_core.backbones.catalog import PATTERNS
    from senet_core.errors import unknown
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    load_installed_plugins()
    for file in plugins:
        load_plugin_file(file)
    registries, trainings = {**SLOTS, "backbone": BACKBONES}, _of_recipes()
    slots = [*registries, PUBLISHED_SLOT, *trainings]
    if slot is not None and slot not in slots:
        raise unknown("slot", slot, slots)
    chosen = {name: registry for name, registry in registries.items() if slot in (None, name)}
    rows = [
        {
            "slot": name,
            "name": entry,
            **_cost(name, registry[entry], counted=slot == "block"),
            "source": registry[entry].source,
            "differs": registry[entry].differs,
            "origin": str(registry[entry].origin),
        }
        for name, registry in chosen.items()
        for entry in registry
    ]
    if slot in (None, PUBLISHED_SLOT):
        rows += _published()
    if "backbone" in chosen:
        rows += map(_family, PATTERNS)
    rows += [
        {"slot": name, "name": entry, **_FREE, "source": source, "differs": "", "origin": "built-in"}
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

    giving_way = {
        "slot": 0,
        "name": 0,
        "parameters": 0,
        "multiply_adds": 0,
        "source": 3,
        "differs": 2,
        "origin": 1,
    }
    explained = {"parameters": _PARAMETERS, "multiply_adds": _MULTIPLY_ADDS}
    for cost in _FREE:
        if not any(row[cost] for row in rows):
            del giving_way[cost], explained[cost]
    columns = [Column(name, name.replace("_", "-"), "left", turn) for name, turn in giving_way.items()]
    console = make_console()
    console.print(text_table(columns, [tuple(row[name] for name in giving_way) for row in rows]))
    if explained:
        console.print(*explained.values(), _OF_NETWORKS)


_FREE = {"parameters": "", "multiply_adds": ""}


def _cost(slot: str, entry: Entry, *, counted: bool) -> dict[str, str]:
    """Return what an entry says it learns, a plain function being free; of a whole block, what is counted, if wanted.

    Counting builds the block, for which torch is loaded: seconds, where the list of all names takes none.
    """
    said: str = entry.traits.get("parameters", "")
    if slot != "block":
        learns = isclass(entry.build) or entry.traits.get("factory", True)
        return {**_FREE, "parameters": said or ("" if learns else "0")}
    if not counted:
        return {**_FREE, "parameters": said}
    from senet_core.complexity import measure_block

    width = _CHANNELS // _REDUCTION
    try:
        parameters, multiply_adds = measure_block(entry.name, channels=_CHANNELS, width=width, side=_SIDE)
    except Exception:  # a plug-in's; what is wrong with it says check-plugin
        return {**_FREE, "parameters": said}
    whole = f"{parameters:,} with C = {_CHANNELS}, r = {_REDUCTION}"
    return {"parameters": said or whole, "multiply_adds": f"{multiply_adds:,}"}


def _published() -> list[dict[str, str]]:
    """Return the published blocks, with what each of them is made of."""
    from senet_core.variants.published import PUBLISHED

    return [
        {
            "slot": PUBLISHED_SLOT,
            "name": name,
            **_FREE,
            "source": block.source,
            "differs": f"is {', '.join(f'{field}: {str(value).lower()}' for field, value in block.fields.items())}",
            "origin": "built-in",
        }
        for name, block in PUBLISHED.items()
    ]


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
        **_FREE,
        "source": f"with {rule}" if rule else "",
        "differs": "; ".join([f"such as {family.members}", *filter(None, [family.differs])]),
        "origin": "built-in",
    }
