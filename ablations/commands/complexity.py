"""`ablate complexity`: parameters and multiply-adds, beside the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablations.commands import options

if TYPE_CHECKING:
    from ablations.analyse.complexity_table import PaperNetwork


@click.command("complexity")
@click.argument("table", required=False)
@click.option("--backbone", help="Count one network of your choice instead of a table.")
@click.option(
    "--variant", default="se", show_default=True, help="Its SE block: 'plain', 'se', 'se:reduction=8,...'."
)
@click.option("--size", type=click.IntRange(min=8), help="Side of the image in pixels; 224 if not given.")
@click.option("--classes", type=click.IntRange(min=1), default=1000, show_default=True)
@options.plugins
def command(
    table: str | None,
    backbone: str | None,
    variant: str,
    size: int | None,
    classes: int,
    plugins: tuple[str, ...],
) -> None:
    """Count parameters and multiply-adds: of the networks of a TABLE of the paper (table_10), or of one network.

    Parameters are the learnable ones. Multiply-adds are those of convolutions and matrix products for one image, as
    torch's flop counter counts them, halved; the paper's GFLOPs are multiply-adds too.
    """
    from rich.table import Table

    from ablations.analyse.complexity_table import PaperNetwork, paper_networks
    from ablations.commands.console import make_console
    from senet_core.complexity import measure_complexity
    from senet_core.errors import UserError
    from senet_core.plugins import load_installed_plugins, load_plugin_file
    from senet_core.variant_text import parse_variant

    load_installed_plugins()
    for file in plugins:
        load_plugin_file(file)
    if (table is None) == (backbone is None):
        raise UserError("name a table of the paper (table_10), or a network by --backbone, one of the two")
    if table is not None:
        networks = paper_networks(table)
    else:
        chosen = parse_variant(variant)
        networks = [PaperNetwork(variant, str(backbone), chosen, None, None, size or 224)]
    shown = Table(title=f"The paper's {table}" if table else None, title_justify="left")
    for column in (
        "row",
        "network",
        "parameters",
        "paper",
        "difference",
        "multiply-adds",
        "paper",
        "difference",
    ):
        shown.add_column(column, justify="left" if column in ("row", "network") else "right")
    for network in networks:
        side = size or network.image_size
        cost = measure_complexity(
            network.backbone, network.variant, image_shape=(3, side, side), num_classes=classes
        )
        shown.add_row(*_row(network, cost.parameters, cost.multiply_adds))
    make_console().print(shown)


def _row(network: PaperNetwork, parameters: int, multiply_adds: int) -> tuple[str, ...]:
    printed_m, printed_g = network.parameters_millions, network.giga_multiply_adds
    name = network.backbone if network.variant is None else f"{network.backbone} {network.variant.label}"
    return (
        network.row,
        name,
        f"{parameters:,}",
        "" if printed_m is None else f"{printed_m:g} M",
        "" if printed_m is None else f"{parameters / 1e6 - printed_m:+.3f} M",
        f"{multiply_adds / 1e9:.4f} G",
        "" if printed_g is None else f"{printed_g:g} G",
        "" if printed_g is None else f"{100 * (multiply_adds / 1e9 / printed_g - 1):+.1f} %",
    )
