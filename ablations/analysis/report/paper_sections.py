"""Tables of the paper that stand whole in a report's appendix: 6 (Places365), 7 (COCO), 8 and 9 (ImageNet)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ablations.analysis.networks.published import paper_table
from ablations.analysis.report.parts import Extra
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Column, Number, Table, TableCell, TableRow, Text
from ablations.analysis.tested.summary import tried_of
from ablations.planning.networks.study import network_study

_HEADS = {
    "top1": "top-1 error, %",
    "top5": "top-5 error, %",
    "ap_iou_50": "AP50, %",
    "ap": "AP, %",
    "extra_data": "extra data",
    "crop": "crop, pixels",
    "crop224_top1": "top-1 error, %, 224 px",
    "crop224_top5": "top-5 error, %, 224 px",
    "crop320_or_299_top1": "top-1 error, %, 320 or 299 px",
    "crop320_or_299_top5": "top-5 error, %, 320 or 299 px",
}
_DECIDES = {6: "top1", 7: "ap"}
"""The column in which networks with SE are compared with those without, of tables that have both."""
_NOTE = (
    "As printed in {source} of the paper: {about}. One run each, no spread. Networks, data and training are not this"
    " study's: compare signs, not levels."
)


def sections_of(results: Results) -> Iterator[Extra]:
    """Yield the tables that a study of networks stands beside: on Places365, and of tests on ImageNet."""
    data = network_study(results.design.study).baseline.data.name
    if data == "places365":
        yield beside_paper(6)
    if data == "imagenet" and tried_of(results):
        yield beside_paper(8, 9)


def beside_paper(*numbers: int) -> Extra:
    """Return tables of the paper as a section.

    Args:
        numbers: of 6 to 9.
    """
    named = " and ".join(map(str, numbers))
    title = f"The paper's Table{'s' * (len(numbers) > 1)} {named}"
    return Extra(title, tuple(map(_printed, numbers)), folded=True)


def _printed(number: int) -> Table:
    printed = paper_table(number)
    names: list[str] = printed["columns"]
    decimals = {name: max(map(_decimals, (row[name] for row in printed["rows"]))) for name in names}
    by_model = {row["model"].removesuffix(" (ours)"): row for row in printed["rows"]}
    deciding = _DECIDES.get(number)
    columns = [Column(name, _HEADS.get(name, name), "left" if name == "model" else "right") for name in names]
    if deciding is not None:
        columns.append(Column("by_se", "with SE minus without"))
    rows = []
    for row in printed["rows"]:
        cells = [_cell(row[name], decimals[name]) for name in names]
        if deciding is not None:
            cells.append(Number(_by_se(row, by_model, deciding), decimals[deciding], signed=True))
        rows.append(TableRow(tuple(cells)))
    notes = (_NOTE.format(source=printed["source"], about=printed["about"]), *printed.get("notes", ()))
    return Table(f"paper-{number}", f"The paper's Table {number}", tuple(columns), tuple(rows), notes)


def _by_se(row: Mapping[str, Any], by_model: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    model: str = row["model"]
    plain = by_model.get(model.removeprefix("SE-")) if model.startswith("SE-") else None
    return None if plain is None else float(row[name]) - float(plain[name])


def _cell(value: object, decimals: int) -> TableCell:
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if value is None or isinstance(value, str):
        return Text(value)
    assert isinstance(value, int | float)
    return Number(value, decimals)


def _decimals(value: object) -> int:
    return len(str(value).partition(".")[2]) if isinstance(value, float) else 0
