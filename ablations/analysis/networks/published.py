"""The paper's own figures, beside the variant that they belong to.

Source: Hu, Shen, Albanie, Sun and Wu, "Squeeze-and-Excitation Networks", arXiv:1709.01507v4, Tables 10 to 16
(ImageNet, ResNet-50, single crop), and Tables 4 and 5 (CIFAR). All tables stand in `paper_tables.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from senet_core.errors import unknown
from senet_core.variants.variant import PAPER_SE, SEVariant

_ROWS: dict[tuple[str, object], tuple[int, object]] = {
    ("reduction", 2): (10, 2),
    ("reduction", 4): (10, 4),
    ("reduction", 8): (10, 8),
    ("reduction", 32): (10, 32),
    ("squeeze", "max"): (11, "Max"),
    ("squeeze", "none"): (16, "NoSqueeze"),
    ("excitation", "relu"): (12, "ReLU"),
    ("excitation", "tanh"): (12, "Tanh"),
    ("stages", (2,)): (13, "SE_Stage_2"),
    ("stages", (3,)): (13, "SE_Stage_3"),
    ("stages", (4,)): (13, "SE_Stage_4"),
    ("integration", "pre"): (14, "SE-PRE"),
    ("integration", "post"): (14, "SE-POST"),
    ("integration", "identity"): (14, "SE-Identity"),
    ("integration", "conv3x3"): (15, "SE_3x3"),
}
_SE = {10: 16, 11: "Avg", 12: "Sigmoid", 13: "SE_All", 14: "SE", 15: "SE", 16: "SE"}
_PLAIN = {10: "original", 13: "ResNet-50", 16: "ResNet-50"}
_CIFAR = {
    ("preact-resnet110", "cifar10"): (4, "ResNet-110"),
    ("preact-resnet164", "cifar10"): (4, "ResNet-164"),
    ("wrn-16-8", "cifar10"): (4, "WRN-16-8"),
    ("shake-shake-26-2x96d", "cifar10"): (4, "Shake-Shake 26 2x96d + Cutout"),
    ("preact-resnet110", "cifar100"): (5, "ResNet-110"),
    ("preact-resnet164", "cifar100"): (5, "ResNet-164"),
    ("wrn-16-8", "cifar100"): (5, "WRN-16-8"),
    ("shake-even-29-2x4x64d", "cifar100"): (5, "Shake-Even 29 2x4x64d + Cutout"),
}
"""Networks and data of Tables 4 and 5, with the rows that print them."""
CIFAR_TABLES = frozenset({4, 5})


@dataclass(frozen=True)
class PaperRow:
    """One row of a table of the paper.

    Attributes:
        table: number of the table.
        row: how the paper names the row.
        top1: top-1 error in per cent, one run.
        top5: top-5 error in per cent, one run; None where the table does not print it.
        parameters_millions: None where the table does not print it.
        giga_multiply_adds: None where the table does not print it.
    """

    table: int
    row: str
    top1: float
    top5: float | None
    parameters_millions: float | None = None
    giga_multiply_adds: float | None = None


def paper_table(number: int) -> dict[str, Any]:
    """Return a table of the paper as printed: `source`, `about`, `columns`, `units`, `rows`, maybe `notes`.

    Raises:
        UserError: the table is not in the package.
    """
    tables = _tables()
    name = f"table_{number}"
    if name not in tables:
        raise unknown("table of the paper", number, [key.removeprefix("table_") for key in tables])
    return tables[name]


def cifar_row(backbone: str, data: str, variant: SEVariant | None) -> PaperRow | None:
    """Return the paper's figure for a network that it trained on CIFAR itself, plain or with its SE block.

    Returns:
        None where Tables 4 and 5 have no such row.
    """
    number, label = _CIFAR.get((backbone, data), (None, ""))
    if number is None or variant not in (None, PAPER_SE):
        return None
    row = next(row for row in paper_table(number)["rows"] if row["model"] == label)
    return PaperRow(table=number, row=label, top1=row["original" if variant is None else "senet"], top5=None)


def paper_row(
    variant: SEVariant | None, axis: str | None = None, tables: Sequence[str] | None = None
) -> PaperRow | None:
    """Return the paper's figures for a network of Tables 10 to 16.

    Args:
        variant: None for the plain network. Only variants that differ from the paper's SE block in one field
            have a figure.
        axis: the axis whose table is meant where several print the same network.
        tables: the study's `paper_tables` ("table_15"): only these are shown; all of them if None.

    Returns:
        None where the paper has no such row.
    """
    asked = list(_SE) if tables is None else [int(name.removeprefix("table_")) for name in tables]
    shown = [number for number in asked if number in _SE]
    if not shown:
        return None
    of_axis = dict.fromkeys(table for (field, _), (table, _) in _ROWS.items() if field == axis)
    homes = [number for number in of_axis if number in shown] or shown
    if variant is None:
        number = next((number for number in homes if number in _PLAIN), 16)
        return _find(number, _PLAIN[number])
    changed = [(f.name, getattr(variant, f.name)) for f in fields(variant)]
    changed = [(name, value) for name, value in changed if value != getattr(PAPER_SE, name)]
    if not changed:
        return _find(homes[0], _SE[homes[0]])
    place = _ROWS.get(changed[0]) if len(changed) == 1 else None
    return None if place is None or place[0] not in shown else _find(*place)


def caveat(backbone: str, data: str, tables: Iterable[int] = ()) -> str:
    """Return how far the paper's figures can be compared with ours.

    Args:
        backbone: of the study's baseline.
        data: name of its data set.
        tables: numbers of the paper's tables that are shown.
    """
    if CIFAR_TABLES.intersection(tables):
        return (
            f"The paper's figures are errors of single runs of {backbone} on {data} (arXiv:1709.01507v4, Table "
            f"{_CIFAR[backbone, data][0]}, no spread is printed). Those of the plain networks look like results "
            "published by others, not trained beside those with SE; compare the recipe with that of their authors."
        )
    return (
        "The paper's figures are errors of single runs of ResNet-50 on ImageNet (arXiv:1709.01507v4, no spread is "
        f"printed); ours are of {backbone} on {data}. Data, network and recipe differ: compare signs and orders, "
        "not levels, and mind that the paper's smaller differences may be noise themselves."
    )


@cache
def _tables() -> dict[str, dict[str, Any]]:
    text = files("ablations.analysis.networks").joinpath("paper_tables.yaml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return tables


def _find(number: int, label: object) -> PaperRow:
    table = paper_table(number)
    key = table["columns"][0]
    row = next(row for row in table["rows"] if row[key] == label)
    return PaperRow(
        table=number, row=str(label), top1=row["top1"], top5=row["top5"],
        parameters_millions=row.get("params_m"), giga_multiply_adds=row.get("gflops"),
    )  # fmt: skip
