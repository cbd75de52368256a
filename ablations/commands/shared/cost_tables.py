"""Costs on the screen: one wide table, or narrow ones under each other where the screen is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from rich.console import Console

from ablations.analysis.costs.complexity_table import (
    CONVENTION,
    TOLERANCE_MILLIONS,
    TOLERANCE_PER_CENT,
    CostRow,
    over,
)
from ablations.analysis.costs.layer_plan import NETWORKS, PlanRow
from ablations.analysis.tables.cells import Column
from ablations.analysis.tables.screen import ScreenTable, fits, text_table
from ablations.running.machine.processor import processor_computes_bf16, processor_name
from senet_core.latency import summed_up
from senet_core.variants.label import variant_label

_Column = tuple[str, list[str]]  # its header, and its entries row by row


def show_costs(console: Console, rows: Sequence[CostRow], *, title: str | None) -> None:
    """Print costs, the differences to the paper, and what a reader must know of them."""
    blocks = [_parameters(rows), _multiply_adds(rows), _activations(rows)]
    names, networks = _names(rows), ("network", [_network(row) for row in rows])
    if title is not None:
        console.print(title)
    whole = _table([names, networks], list(chain(*blocks)))
    if fits(whole.table, console.width):
        console.print(whole)
    else:
        for block in blocks:
            console.print(_table([names], block))
        console.print(_table([names, networks], []))
    timed = [row for row in rows if row.latencies]
    if timed:
        _show_latencies(console, timed)
    console.print(CONVENTION)
    for note in _notes(rows):
        console.print(note)


def show_plan(console: Console, rows: Sequence[PlanRow]) -> None:
    """Print the paper's Table 1 from the built networks."""
    columns = [
        *(Column(name, name) for name in ("stage", "output", "units")),
        *(Column(key, name, "left") for key, (name, *_) in NETWORKS.items()),
    ]
    entries = []
    for row in rows:
        first = next(iter(row.ours.values()))
        size = f"{first.output_size}×{first.output_size}"
        entries.append(
            (str(row.stage), size, str(first.repeats), *(plan.widths for plan in row.ours.values()))
        )
    console.print("Table 1 of the paper, read off the built networks")
    console.print(text_table(columns, entries))
    console.print(
        "Widths of the three convolutions of a unit, and of the two layers of its gate; the 3x3 convolutions of "
        "SE-ResNeXt-50 have 32 groups."
    )
    wrong = [(row, column) for row in rows for column in row.differs]
    for row, column in wrong:
        console.print(
            f"stage {row.stage} of {NETWORKS[column][0]}: the paper prints {row.printed[column]}", style="red"
        )
    if not wrong:
        console.print(f"All {len(rows) * len(NETWORKS)} plans are equal to the paper's.")


def _table(words: Sequence[_Column], figures: Sequence[_Column]) -> ScreenTable:
    heads = [*(Column(head, head, "left") for head, _ in words), *(Column(head, head) for head, _ in figures)]
    rows = zip(*(entries for _, entries in (*words, *figures)), strict=True)
    return text_table(heads, list(rows))


def _names(rows: Sequence[CostRow]) -> _Column:
    return "row", [row.network.row for row in rows]


def _parameters(rows: Sequence[CostRow]) -> list[_Column]:
    printed = [row.network.parameters_millions for row in rows]
    differences = [_maybe(row.parameter_difference, "+.3f") + _mark(row, "parameters") for row in rows]
    return [
        ("parameters", [f"{row.cost.parameters:,}" for row in rows]),
        *_of_paper("paper,\nM", printed, differences),
        _over(rows, "parameters"),
    ]


def _multiply_adds(rows: Sequence[CostRow]) -> list[_Column]:
    large = any(row.cost.multiply_adds >= 1e9 for row in rows)
    unit, scale, digits = ("G", 1e9, 3) if large else ("M", 1e6, 2)
    giga = [row.network.giga_multiply_adds for row in rows]
    printed = [None if figure is None else figure * (1e9 / scale) for figure in giga]
    differences = [
        _maybe(row.multiply_add_difference, "+.2f", " %") + _mark(row, "multiply-adds") for row in rows
    ]
    return [
        (f"multiply-\nadds, {unit}", [f"{row.cost.multiply_adds / scale:,.{digits}f}" for row in rows]),
        *_of_paper("paper", printed, differences),
        _over(rows, "multiply_adds"),
    ]


def _activations(rows: Sequence[CostRow]) -> list[_Column]:
    sizes = [f"{row.cost.activation_bytes / 2**20:,.2f}" for row in rows]
    return [("activations,\nMiB", sizes), _over(rows, "activation_bytes")]


def _of_paper(header: str, printed: Sequence[float | None], differences: list[str]) -> list[_Column]:
    if all(figure is None for figure in printed):
        return []
    return [(header, [_maybe(figure, "g") for figure in printed]), ("difference", differences)]


def _over(rows: Sequence[CostRow], figure: str) -> _Column:
    values = [over(getattr(row.cost, figure), getattr(row.plain, figure)) for row in rows]
    return "over\nplain", [
        "" if row.network.variant is None else f"{value:+.2f} %"
        for row, value in zip(rows, values, strict=True)
    ]


def _show_latencies(console: Console, rows: Sequence[CostRow]) -> None:
    blocks = [_latencies(rows, place) for place in range(len(rows[0].latencies))]
    printed = any(row.network.cpu_milliseconds is not None for row in rows)
    if printed:
        paper = [_maybe(row.network.cpu_milliseconds, "g") for row in rows]
        blocks.insert(1, [("paper,\nms", paper)])
    taken = [latency for row in rows for latency in row.latencies]
    whole = _table([_names(rows)], list(chain(*blocks)))
    tables = (
        [whole] if fits(whole.table, console.width) else [_table([_names(rows)], block) for block in blocks]
    )
    for table in tables:
        console.print(table)
    console.print(
        f"Latency: median and middle half of forward passes, {summed_up(taken)} ({processor_name()}), in evaluation "
        "mode and channels_last; in bf16, weights and maps are both of that type. Over plain: the median of ratios to "
        "passes of the plain network in the same round."
    )
    if taken[0].device == "cpu" and not processor_computes_bf16():
        console.print("This processor does not compute in bf16 itself; it is emulated, and slower than fp32.")
    if printed:
        console.print(
            "The paper's times (section 4) are for one image on a processor that it does not name; compare the "
            "ratio, not the level."
        )


def _latencies(rows: Sequence[CostRow], place: int) -> list[_Column]:
    """Return the medians with their middle halves for one batch and precision, and what is over plain."""
    first = rows[0].latencies[place]
    medians, extras = [], []
    for row in rows:
        taken = row.latencies[place]
        low, high = taken.quartiles
        digits = 0 if taken.median >= 100 else 1
        medians.append(f"{taken.median:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})")
        extras.append(
            "" if row.network.variant is None else f"{taken.over(row.plain_latencies[place]):+.1f} %"
        )
    return [(f"batch {first.batch} {first.precision},\nms", medians), ("over\nplain", extras)]


def _notes(rows: Sequence[CostRow]) -> Iterable[str]:
    figures = sum(
        figure is not None
        for row in rows
        for figure in (row.network.parameters_millions, row.network.giga_multiply_adds)
    )
    if not figures:
        return
    if any(row.network.variant is not None and row.network.variant.bias for row in rows):
        yield "The gates of Tables 2 and 3 have biases, as in the networks that the authors released."
    outside = sum(len(row.outside) for row in rows)
    yield (
        f"{figures - outside} of {figures} printed figures are within {TOLERANCE_MILLIONS} M parameters or "
        f"{TOLERANCE_PER_CENT:g} % of multiply-adds" + (f"; {outside} marked * are not:" if outside else ".")
    )
    for row in rows:
        reason = row.network.reason or ("no reason is known" if row.outside else "")
        if reason:
            yield f"{'*' if row.outside else '-'} {row.network.row} ({row.network.backbone}): {reason}."


def _network(row: CostRow) -> str:
    variant = row.network.variant
    side = "" if row.network.image_size == 224 else f", {row.network.image_size} px"
    return f"{row.network.backbone}{'' if variant is None else f' {variant_label(variant)}'}{side}"


def _mark(row: CostRow, figure: str) -> str:
    return " *" if figure in row.outside else ""


def _maybe(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"
