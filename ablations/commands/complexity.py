"""`ablate complexity`: what networks cost, beside the paper's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablations.commands.shared import options

if TYPE_CHECKING:
    from ablations.analysis.costs.complexity_table import LatencyTiming
    from ablations.analysis.costs.paper_networks import PaperNetwork


@click.command("complexity")
@click.argument("table", required=False)
@click.option("--backbone", help="Count one network of your choice instead of a table.")
@click.option("--variant", help="Its SE block: 'plain', 'se' (if not given), 'se:reduction=8,...'.")
@click.option(
    "--size", type=click.IntRange(min=8), help="Side of its image in pixels; the network's own if not given."
)
@click.option("--classes", type=click.IntRange(min=1), help="Its outputs; 1000 if not given.")
@click.option("--latency", is_flag=True, help="Time forward passes on this machine too: fp32 and bf16.")
@click.option(
    "--batch", type=click.IntRange(min=1), help="Images in the larger timed batch; 32 if not given."
)
@click.option(
    "--repetitions", type=click.IntRange(min=1), help="Timed passes of each network; 10 if not given."
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads while timing; torch's own if not given.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@options.plugins
def command(
    table: str | None,
    backbone: str | None,
    variant: str | None,
    size: int | None,
    classes: int | None,
    latency: bool,
    batch: int | None,
    repetitions: int | None,
    threads: int | None,
    as_json: bool,
    plugins: tuple[str, ...],
) -> None:
    """Count what networks cost: those of a TABLE, or one.

    TABLE is one of the paper's: table_1, _2, _3, _10, _13, _15 or _16.

    Parameters, multiply-adds and activation memory, each with what it is over the plain network, and the paper's
    figure beside it where it has one. A figure outside the tolerance stands with its reason.
    """
    import json

    from rich.text import Text

    from ablations.analysis.costs.complexity_table import cost_rows
    from ablations.analysis.costs.layer_plan import layer_plan
    from ablations.analysis.costs.paper_networks import paper_networks, table_number
    from ablations.commands.shared.console import make_console
    from ablations.commands.shared.cost_tables import show_costs, show_plan
    from ablations.commands.shared.opening import announce_plugins
    from senet_core.errors import UserError
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    announce_plugins(
        [str(origin) for origin in load_installed_plugins()],
        [str(load_plugin_file(file)) for file in plugins],
    )
    if (table is None) == (backbone is None):
        raise UserError("name a table of the paper (table_10), or a network by --backbone, one of the two")
    _refuse_without(
        backbone, "--backbone; a table has the paper's own", variant=variant, size=size, classes=classes
    )
    _refuse_without(latency or None, "--latency", batch=batch, repetitions=repetitions, threads=threads)
    console = make_console()
    number = None if table is None else table_number(table)
    if number == 1:
        if latency:
            raise UserError("table_1 has widths of layers and no costs; --latency is for the other tables")
        plan = layer_plan()
        if as_json:
            click.echo(json.dumps({"table": 1, "rows": [row.to_json() for row in plan]}, indent=1))
        else:
            show_plan(console, plan)
        return
    networks = paper_networks(number) if number else _one_network(str(backbone), variant, size, classes)
    with console.status("") as status:
        timing = _timing(batch, repetitions, threads) if latency else None
        rows = cost_rows(
            networks, num_classes=classes or 1000, timing=timing, say=lambda text: status.update(Text(text))
        )
    if as_json:
        click.echo(json.dumps({"table": number, "rows": [row.to_json() for row in rows]}, indent=1))
    else:
        show_costs(console, rows, title=None if number is None else f"Table {number} of the paper, and ours")


def _one_network(
    backbone: str, variant: str | None, size: int | None, classes: int | None
) -> list[PaperNetwork]:
    """Return the plain network and the variant, with the paper's figures where they are for the same images."""
    from ablations.analysis.costs.paper_networks import PaperNetwork, find_paper_network
    from senet_core.backbones import find_backbone
    from senet_core.variants.label import variant_label
    from senet_core.variants.text import parse_variant

    found = find_backbone(backbone)
    chosen = found.variant(parse_variant(variant or "se"))
    networks = []
    for one in dict.fromkeys((None, chosen)):
        printed = find_paper_network(backbone, one) if size is None and classes is None else None
        row = variant_label(one)
        networks.append(
            PaperNetwork(row, backbone, one, image_size=size or found.image_size)
            if printed is None
            else PaperNetwork(**{**vars(printed), "row": row, "variant": one})
        )
    return networks


def _timing(batch: int | None, repetitions: int | None, threads: int | None) -> LatencyTiming:
    from ablations.analysis.costs.complexity_table import LatencyTiming
    from senet_core.latency import REPETITIONS

    return LatencyTiming(batch=batch or 32, repetitions=repetitions or REPETITIONS, threads=threads)


def _refuse_without(condition: object, needed: str, **given: object) -> None:
    from senet_core.errors import UserError

    for name, value in given.items():
        if condition is None and value is not None:
            raise UserError(f"--{name} is only for {needed}")
