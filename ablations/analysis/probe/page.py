"""The page of a probe: the paper's statements, measures by depth, and the gates of each row as the paper draws them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ablations.analysis.probe.class_figures import (
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_PANELS,
    GateFigure,
    class_figure,
    draw_gates,
    evenly,
    spread_figure,
)
from ablations.analysis.probe.depth_figure import MOST_ROWS, depth_figure, draw_depth
from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.statements import STATEMENTS, StatementFinding
from ablations.analysis.probe.summary import MEASURES
from ablations.analysis.report.content import Content
from ablations.analysis.report.parts import Extra, Plot
from ablations.analysis.report.write import ReportPaths, table_files, write_content
from ablations.analysis.tables.cells import Column, Difference, Number, Table, TableRow, Text, fixed
from ablations.analysis.tables.comparisons.keys import file_key
from senet_core.errors import unknown
from senet_core.words import counted

PROBE_FOLDER = "gates"
"""Where the page is, within the report's folder. It is made from weights, and no record can give it again."""

GATE_MEASURES = ("class_share", "likeness", "high", "low", "image_share", "constant_error", "one_error")
CHANNEL_MEASURES = ("correlation_before", "correlation_after", "dimensions_before", "dimensions_after")
USUAL_CLASSES = 4
"""As many as the paper draws."""

_FILES = ("statements-", "units-", "channels-", "classes-", "spread-", "depth.")
_QUESTION = (
    "What do the gates of trained networks say: do they differ between classes, between images, from a constant, and"
    " how does that change with depth? After the paper's section 7.2, Fig. 6 and 7."
)
_CLASSES = (
    "Mean gate of each channel over the test images of a class, and over all (black), in the network of seed {seed}:"
    " channels of other seeds are others. The paper's Fig. 6.{fewer}"
)
_SPREAD = (
    "Mean gate (line) and standard deviation over the test images (band) of two classes, in the network of seed {seed}."
    " The paper's Fig. 7."
)
_DEPTH = (
    "Measures of the gates by unit, from the first to the last: mean over seeds, with a 95 % t-interval over trained"
    " seeds on these test images.{fewer}"
)


def write_probe(
    probe: GateProbe,
    folder: str | Path,
    *,
    classes: Sequence[str] = (),
    formats: Sequence[str] = ("md", "html"),
) -> ReportPaths:
    """Write the page of a probe with its figures and tables into a folder, which is made if it does not exist.

    Args:
        probe: of a study, or of one network.
        folder: for report.md, report.html, figures/ and tables/.
        classes: that are drawn, the first two with their spread; four of all if not given.
        formats: "md", "html", "latex".

    Raises:
        UserError: a class is not known, or the folder cannot be written.
        DiskError: the disk is full.
    """
    content = content_of_probe(probe, chosen_classes(probe, classes))
    _clear(Path(folder))
    return write_content(content, Path(folder), formats, table_files(content, formats))


def _clear(folder: Path) -> None:
    """Remove what a probe of other rows has left."""
    for path in (*folder.glob("figures/*"), *folder.glob("tables/*")):
        if path.name.startswith(_FILES):
            path.unlink(missing_ok=True)


def chosen_classes(probe: GateProbe, names: Sequence[str]) -> tuple[int, ...]:
    """Return the places of classes by name; without names, four that are spread over all.

    Raises:
        UserError: a class is not known, or they are more than can be told apart.
    """
    for name in names:
        if name not in probe.classes:
            raise unknown("class", name, probe.classes)
    if names:
        return tuple(probe.classes.index(name) for name in dict.fromkeys(names))[:MOST_CLASSES]
    with_images = [place for place, count in enumerate(probe.rows[0].first.images) if count]
    return tuple(with_images[place] for place in evenly(len(with_images), USUAL_CLASSES))


def content_of_probe(probe: GateProbe, chosen: Sequence[int]) -> Content:
    """Return the page of a probe.

    Args:
        probe: of a study, or of one network.
        chosen: places of the classes that are drawn.
    """
    keys = row_keys(probe.rows)
    return Content(
        name=probe.name,
        title=f"What the gates of {probe.name} do",
        question=_QUESTION,
        warnings=probe.notes,
        sections=(),
        extras=(
            Extra("The paper's statements", tuple(map(statement_table, probe.rows, keys))),
            Extra("Gates by depth", tuple(map(unit_table, probe.rows, keys)), (_depth_plot(probe),)),
            Extra("Channels before and after the block", tuple(map(channel_table, probe.rows, keys))),
            *(_row_plots(probe, row, key, chosen) for row, key in zip(probe.rows, keys, strict=True)),
        ),
    )


def row_keys(rows: Sequence[ProbedRow]) -> tuple[str, ...]:
    """Return a name for the files of each row."""
    keys: list[str] = []
    for row in rows:
        key = file_key(row.label)
        alike = sum(key in (known, known.rpartition("-")[0]) for known in keys)
        keys.append(f"{key}-{alike + 1}" if alike else key)
    return tuple(keys)


def statement_table(row: ProbedRow, key: str) -> Table:
    """Return what a row says of the paper's statements, with how each is checked in the notes."""
    columns = (
        Column("statement", "the paper on SE-ResNet-50", "left"),
        Column("units", "here", "left"),
        Column("figure", "figure [95 %]"),
        Column("confirmed", "confirmed", "left"),
        Column("judgement", "judgement", "left"),
    )
    return Table(
        f"statements-{key}",
        row.label,
        columns,
        tuple(_statement_row(found) for found in row.findings),
        notes=(
            "Interval: t over trained seeds, on these test images, each statement taken alone; confirmed or"
            " contradicted where all of it lies on one side of the threshold. Thresholds were set before any network"
            " was looked at. Stages take the place of those with the same role in the paper's network: the first for"
            " stage 2, the last for stage 5.",
            *(f"{statement.claim} {statement.test}" for statement in STATEMENTS),
        ),
        subject=f"{row.label}: the paper's statements on gates",
    )


def _statement_row(found: StatementFinding) -> TableRow:
    one, statement = found.estimate, found.statement
    side = "above" if statement.above else "below"
    why = f" ({found.why})" if found.why else ""
    return TableRow(
        (
            Text(statement.claim),
            Text(", ".join(found.units) or None),
            Difference(one.mean, one.lo, one.hi, signed=False, decimals=3),
            Text(f"{side} {fixed(statement.threshold, 2)}"),
            Text(f"{found.judgement}{why}"),
        )
    )


def unit_table(row: ProbedRow, key: str) -> Table:
    """Return the measures of a row's gates by unit."""
    return _measures(row, f"units-{key}", GATE_MEASURES, "gates by depth")


def channel_table(row: ProbedRow, key: str) -> Table:
    """Return how far the channels before and after each block say the same."""
    return _measures(row, f"channels-{key}", CHANNEL_MEASURES, "channels before and after the block")


def _measures(row: ProbedRow, key: str, names: Sequence[str], subject: str) -> Table:
    found = {name: row.over_seeds(name) for name in names}
    columns = (
        Column("unit", "unit", "left"),
        Column("channels", "channels"),
        *(Column(name, MEASURES[name].head) for name in names),
    )
    rows = []
    for unit in row.first.units:
        estimates = (found[name][unit.name] for name in names)
        cells = (Difference(e.mean, e.lo, e.hi, signed=False, decimals=3) for e in estimates)
        rows.append(TableRow((Text(unit.name), Number(unit.channels, 0), *cells)))
    seeds = ", ".join(map(str, row.networks))
    over = (
        f"Mean with 95 % t-interval over {len(row.networks)} trained seeds"
        if len(row.networks) > 1
        else "One trained seed"
    )
    notes = (
        f"{over} ({seeds}), on {counted(sum(row.first.images), 'test image')}.",
        *(f"{MEASURES[name].head.capitalize()}: {MEASURES[name].words}." for name in names),
    )
    made = Table(key, row.label, columns, tuple(rows), notes=notes, subject=f"{row.label}: {subject}")
    return made.without_empty_columns()


def _depth_plot(probe: GateProbe) -> Plot:
    info = depth_figure(probe.rows)
    fewer = f" The first {MOST_ROWS} rows of {len(probe.rows)}." if len(probe.rows) > MOST_ROWS else ""
    return Plot("depth", _DEPTH.format(fewer=fewer), draw_depth(info), info, wide=True)


def _row_plots(probe: GateProbe, row: ProbedRow, key: str, chosen: Sequence[int]) -> Extra:
    seed, network = next(iter(row.networks.items()))
    classes = class_figure(network, probe.classes, chosen)
    spread = spread_figure(network, probe.classes, chosen)
    caption = _CLASSES.format(seed=seed, fewer=_fewer(classes, row))
    return Extra(
        f"Gates by class: {row.label}",
        (),
        (
            Plot(f"classes-{key}", caption, draw_gates(classes), classes, wide=True),
            Plot(f"spread-{key}", _SPREAD.format(seed=seed), draw_gates(spread), spread, wide=True),
        ),
    )


def _fewer(info: GateFigure, row: ProbedRow) -> str:
    """Return what of the units and channels has no room, in a sentence."""
    units = row.first.units
    said = ""
    if len(info.panels) < len(units):
        said = f" Of {len(units)} units the last of each stage and those of the last stage, {MOST_PANELS} at most."
    if any(unit.channels > MOST_CHANNELS for unit in units):
        said += f" Of more than {MOST_CHANNELS} channels as many, evenly spaced."
    return said
