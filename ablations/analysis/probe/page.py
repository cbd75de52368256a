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
from ablations.analysis.probe.first_screen import first_screen
from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.request import ProbeRequest, write_request
from ablations.analysis.probe.tables import (
    channel_table,
    glance_tables,
    row_keys,
    statement_table,
    unit_table,
)
from ablations.analysis.report.content import Content
from ablations.analysis.report.parts import Extra, Plot
from ablations.analysis.report.write import ReportPaths, table_files, write_content
from senet_core.errors import UserError, unknown

PROBE_FOLDER = "gates"
"""Where the page is, within the report's folder. It is made from weights, and no record can give it again."""

USUAL_CLASSES = 4
"""As many as the paper draws."""

_FILES = ("statements", "units-", "channels-", "classes-", "spread-", "depth.")
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
    content, folder = content_of_probe(probe, chosen_classes(probe, classes)), Path(folder)
    _clear(folder)
    written = write_content(content, folder, formats, table_files(content, formats))
    request = ProbeRequest(tuple(row.label for row in probe.rows), tuple(classes), tuple(formats))
    write_request(folder, request)
    return written


def _clear(folder: Path) -> None:
    """Remove what a probe of other rows has left."""
    for path in (*folder.glob("figures/*"), *folder.glob("tables/*")):
        if path.name.startswith(_FILES):
            path.unlink(missing_ok=True)


def chosen_classes(probe: GateProbe, names: Sequence[str]) -> tuple[int, ...]:
    """Return the places of classes by name; without names, four that are spread over all.

    Raises:
        UserError: a class is not known, or has no images.
    """
    images = dict(zip(probe.classes, probe.rows[0].first.images, strict=True))
    for name in names:
        if name not in images:
            raise unknown("class", name, probe.classes)
        if not images[name]:
            raise UserError(f"class {name!r} has no image among those that were probed")
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
    keys, depth = row_keys(probe.rows), _depth_plot(probe)
    screen = first_screen(probe)
    return Content(
        name=probe.name,
        title=f"What the gates of {probe.name} do",
        question=screen.question,
        glance=screen,
        overview=depth,
        warnings=probe.notes,
        sections=(),
        extras=(
            Extra("The paper's statements", glance_tables(probe.rows)),
            *(_row_plots(probe, row, key, chosen) for row, key in zip(probe.rows, keys, strict=True)),
            Extra(
                "How each statement is checked", tuple(map(statement_table, probe.rows, keys)), folded=True
            ),
            Extra("Gates by depth", tuple(map(unit_table, probe.rows, keys)), folded=True),
            Extra(
                "Channels before and after the block",
                tuple(map(channel_table, probe.rows, keys)),
                folded=True,
            ),
        ),
    )


def _depth_plot(probe: GateProbe) -> Plot:
    info = depth_figure(probe.rows)
    fewer = f" The first {MOST_ROWS} rows of {len(probe.rows)}." if len(probe.rows) > MOST_ROWS else ""
    caption = _DEPTH.format(fewer=fewer)
    return Plot("depth", caption, draw_depth(info), info, wide=True, alt="Measures of the gates by unit")


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
