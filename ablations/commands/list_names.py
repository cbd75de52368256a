"""`ablate list`: every name that a study can use, with its source."""

from __future__ import annotations

import json

import click

from ablations.commands.shared import options


@click.command("list")
@click.argument("slot", required=False)
@options.plugins
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(slot: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """Show the registered names of SLOT (squeeze, excitation, gate, integration, backbone), or of all slots."""
    from senet_core import BACKBONES, SLOTS
    from senet_core.errors import unknown
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    load_installed_plugins()
    for file in plugins:
        load_plugin_file(file)
    registries = {**SLOTS, "backbone": BACKBONES}
    if slot is not None and slot not in registries:
        raise unknown("slot", slot, registries)
    chosen = {slot: registries[slot]} if slot else registries
    rows = [
        {
            "slot": name,
            "name": entry,
            "source": registry[entry].source,
            "differs": registry[entry].differs,
            "origin": str(registry[entry].origin),
        }
        for name, registry in chosen.items()
        for entry in registry
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    from rich.table import Table

    from ablations.commands.shared.console import make_console

    table = Table(box=None, pad_edge=False)
    for column in ("slot", "name", "source", "differs", "origin"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    make_console().print(table)
