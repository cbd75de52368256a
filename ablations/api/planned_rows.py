"""The networks that a study would train, row by row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ablations.api.planned_runs import PlannedRow
from ablations.planning.design import Design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.row import network_rows
from ablations.running.data import load, prepared_path
from ablations.running.training.networks import DataShape, Networks, data_shape
from ablations.running.training.refusals.identical import explain_identical
from senet_core.fingerprint import Structure
from senet_core.floor import width_text
from senet_core.variants.text import variant_fields
from senet_core.variants.variant import PAPER_SE, SEVariant


def planned_shape(spec: DataSpec, data_dir: Path) -> DataShape:
    """Return the shape of a data set; a folder of images has its own number of classes once it is prepared.

    Raises:
        DataError: the prepared file is damaged.
    """
    shape = data_shape(spec)
    if shape.assumed and (path := prepared_path(spec, data_dir)).is_file():
        return replace(shape, num_classes=load(path).num_classes, assumed=False)
    return shape


def planned_rows(design: Design, networks: Networks, finished: frozenset[str]) -> tuple[PlannedRow, ...]:
    """Compute the network of each row.

    Args:
        design: the study.
        networks: computes them, each once.
        finished: keys of finished trials.
    """
    rows = []
    for row in network_rows(design.rows):
        made_of, mark = networks.structure(row), networks.fingerprint(row)
        keys = [row.key(seed) for seed in design.seeds]
        rows.append(
            PlannedRow(
                label=row.label,
                backbone=row.backbone,
                variant=_short(row.variant),
                blocks=_blocks(made_of),
                units=(width_text(dict(made_of.widths)) if made_of else None) or None,
                parameters=made_of.parameters if made_of else None,
                multiply_adds=made_of.multiply_adds if made_of else None,
                function=mark.function if mark else None,
                finished=sum(key in finished for key in keys),
                planned=len(keys),
            )
        )
    return tuple(rows)


def network_notes(design: Design, networks: Networks) -> tuple[str, ...]:
    """Return what a reader of the rows should know: equal networks, floors of widths, rows left out."""
    pairs = networks.identical(network_rows(design.rows)) if design.study.allow_identical else ()
    notes = [f"identical: {explain_identical(one, other, networks)}" for one, other in pairs]
    notes += networks.floor_notes(network_rows(design.rows))
    left_out = [row.label for row in design.rows if row.label in networks.left_out]
    if left_out:
        notes.append(
            f"Left out, as each takes about {max(networks.left_out.values()):.0f} s of computing: the networks or"
            f" functions of {', '.join(left_out)}; `ablate run` compares all rows before it trains."
        )
    shapes = {networks.shape_of(row.data) for row in network_rows(design.rows)}
    if assumed := [shape for shape in shapes if shape.assumed]:
        classes = assumed[0].num_classes
        notes.append(
            f"Costs are for {classes} classes, until the folder of images is prepared and they are counted."
        )
    return tuple(notes)


def _short(variant: SEVariant | None) -> str:
    if variant is None:
        return "plain"
    usual = variant_fields(PAPER_SE)
    changed = [f"{name}={value}" for name, value in variant_fields(variant).items() if value != usual[name]]
    return f"se:{','.join(changed)}" if changed else "se"


def _blocks(made_of: Structure | None) -> str | None:
    points = [point for _, point in made_of.gates] if made_of else []
    return ", ".join(f"{points.count(point)} {point}" for point in dict.fromkeys(points)) or None
