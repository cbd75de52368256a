"""How costs are shown: one wide table, or narrow ones under each other where the screen is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from ablations.analysis.costs.complexity_table import (
    CONVENTION,
    TOLERANCE_MILLIONS,
    TOLERANCE_PER_CENT,
    CostRow,
    over,
)
from ablations.analysis.costs.layer_plan import NETWORKS, PlanRow
from ablations.running.machine.environment import processor_computes_bf16, processor_name
from senet_core.latency import summed_up

WIDE = 140
"""Columns from which one table holds everything."""
NOTHING = ""


@dataclass(frozen=True)
class _Block:
    """Columns that belong together: their headers, and their entries row by row."""

    headers: tuple[str, ...]
    entries: tuple[tuple[str, ...], ...]


def show_costs(console: Console, rows: Sequence[CostRow], *, title: str | None) -> None:
    """Print costs, the differences to the paper, and what a reader must know of them."""
    blocks = [_parameters(rows), _multiply_adds(rows), _activations(rows)]
    names = [(row.network.row, _network(row)) for row in rows]
    if console.width >= WIDE:
        console.print(_table(title, names, ("row", "network"), blocks))
    else:
        for place, block in enumerate(blocks):
            console.print(_table(title if place == 0 else None, [n[:1] for n in names], ("row",), [block]))
        console.print(_table(None, names, ("row", "network"), []))
    timed = [row for row in rows if row.latencies]
    if timed:
        _show_latencies(console, timed)
    console.print(CONVENTION)
    for note in _notes(rows):
        console.print(note)


def show_plan(console: Console, rows: Sequence[PlanRow]) -> None:
    """Print the paper's Table 1 from the built networks."""
    table = Table(title="Table 1 of the paper, read off the built networks", title_justify="left")
    for header in ("stage", "output", "units"):
        table.add_column(header, justify="right")
    for name, _, _ in NETWORKS.values():
        table.add_column(name)
    for row in rows:
        first = next(iter(row.ours.values()))
        size = f"{first.output_size}×{first.output_size}"
        table.add_row(str(row.stage), size, str(first.repeats), *(plan.widths for plan in row.ours.values()))
    console.print(table)
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


def _table(
    title: str | None, names: Sequence[tuple[str, ...]], headers: Sequence[str], blocks: Sequence[_Block]
) -> Table:
    table = Table(title=title, title_justify="left")
    for header in headers:
        table.add_column(header, overflow="fold")
    for block in blocks:
        for header in block.headers:
            table.add_column(header, justify="right")
    for place, name in enumerate(names):
        table.add_row(*name, *(entry for block in blocks for entry in block.entries[place]))
    return table


def _parameters(rows: Sequence[CostRow]) -> _Block:
    printed = any(row.network.parameters_millions is not None for row in rows)
    headers = ("parameters", *(("paper,\nM", "difference") if printed else ()), "over\nplain")
    return _Block(
        headers,
        tuple(
            (
                f"{row.cost.parameters:,}",
                *(
                    (
                        _maybe(row.network.parameters_millions, "g"),
                        _maybe(row.parameter_difference, "+.3f") + _mark(row, "parameters"),
                    )
                    if printed
                    else ()
                ),
                _over(row, row.cost.parameters, row.plain.parameters),
            )
            for row in rows
        ),
    )


def _multiply_adds(rows: Sequence[CostRow]) -> _Block:
    printed = any(row.network.giga_multiply_adds is not None for row in rows)
    unit, scale, digits = (
        ("G", 1e9, 3) if any(row.cost.multiply_adds >= 1e9 for row in rows) else ("M", 1e6, 2)
    )
    headers = (f"multiply-\nadds, {unit}", *(("paper", "difference") if printed else ()), "over\nplain")
    return _Block(
        headers,
        tuple(
            (
                f"{row.cost.multiply_adds / scale:,.{digits}f}",
                *(
                    (
                        _maybe(_scaled(row.network.giga_multiply_adds, 1e9 / scale), "g"),
                        _maybe(row.multiply_add_difference, "+.2f", " %") + _mark(row, "multiply-adds"),
                    )
                    if printed
                    else ()
                ),
                _over(row, row.cost.multiply_adds, row.plain.multiply_adds),
            )
            for row in rows
        ),
    )


def _activations(rows: Sequence[CostRow]) -> _Block:
    return _Block(
        ("activations,\nMiB", "over\nplain"),
        tuple(
            (
                f"{row.cost.activation_bytes / 2**20:,.2f}",
                _over(row, row.cost.activation_bytes, row.plain.activation_bytes),
            )
            for row in rows
        ),
    )


def _show_latencies(console: Console, rows: Sequence[CostRow]) -> None:
    wide = console.width >= WIDE
    settings = [(taken.batch, taken.precision) for taken in rows[0].latencies]
    blocks = []
    for place, (batch, precision) in enumerate(settings):
        entries = tuple(_latency(row, place) for row in rows)
        blocks.append(_Block((f"batch {batch} {precision},\nms", "over\nplain"), entries))
    printed = any(row.network.cpu_milliseconds is not None for row in rows)
    if printed:
        paper = tuple((_maybe(row.network.cpu_milliseconds, "g"),) for row in rows)
        blocks.insert(1, _Block(("paper,\nms",), paper))
    names = [(row.network.row,) for row in rows]
    taken = [latency for row in rows for latency in row.latencies]
    for group in [blocks] if wide else [[block] for block in blocks]:
        console.print(_table(None, names, ("row",), group))
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


def _latency(row: CostRow, place: int) -> tuple[str, str]:
    taken = row.latencies[place]
    low, high = taken.quartiles
    extra = NOTHING if row.network.variant is None else f"{taken.over(row.plain_latencies[place]):+.1f} %"
    digits = 0 if taken.median >= 100 else 1
    return f"{taken.median:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})", extra


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
    return f"{row.network.backbone}{'' if variant is None else f' {variant.label}'}{side}"


def _over(row: CostRow, value: float, plain: float) -> str:
    return NOTHING if row.network.variant is None else f"{over(value, plain):+.2f} %"


def _mark(row: CostRow, figure: str) -> str:
    return " *" if figure in row.outside else ""


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _maybe(value: float | None, form: str, unit: str = "") -> str:
    return NOTHING if value is None else f"{value:{form}}{unit}"
