"""The study that a probe leads to: the stages whose gates are nearest to a constant are left out."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import yaml

from ablations.analysis.probe.gate_probe import ProbedRow
from ablations.planning.design import design
from ablations.planning.networks.row import NetworkRow
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_study
from senet_core.errors import UserError
from senet_core.variants.text import variant_text

_KEPT = ("margin", "rests_on", "folder", "plugins", "keep_weights")
"""Fields of the probed study that the new one has, too."""


def stage_distances(row: ProbedRow) -> dict[int, float]:
    """Return the distance of each stage's gates from a constant, mean over units and seeds; the smallest first."""
    found: dict[int, list[float]] = {}
    for network in row.networks.values():
        for unit in network.units:
            value = unit.values["constant_error"]
            found.setdefault(unit.stage, []).append(0.0 if value is None else value)
    means = {stage: fmean(values) for stage, values in found.items()}
    return dict(sorted(means.items(), key=lambda stage: (stage[1], stage[0])))


def next_study(study: NetworkStudy, row: NetworkRow, probed: ProbedRow, *, command: str) -> str:
    """Return the text of a study that leaves stages out, one after the other, until one is left.

    Args:
        study: that was probed.
        row: of it, whose networks they are.
        probed: its gates.
        command: that was typed, for the comment.

    Raises:
        UserError: the row has gates in one stage only.
        StudyError: the study would not be valid.
    """
    distances = stage_distances(probed)
    if len(distances) < 2:
        raise UserError(
            f"row {row.label!r} has gates in stage {next(iter(distances))} only: none can be left out"
        )
    order = list(distances)
    kept = [sorted(order[place:]) for place in range(1, len(order))]
    said = study.fields()
    fields: dict[str, Any] = {
        "title": f"Stages without gates, by the gates of {study.name}",
        "question": "Are gates needed in the stages where they are nearest to a constant?",
        "baseline": {
            "backbone": row.backbone,
            "variant": variant_text(row.variant),
            "data": said["baseline"]["data"],
        },
        "recipe": _recipe(study, row),
        "axes": {"stages": kept},
        "design": "one-factor",
        "include_plain": True,
        "seeds": _seeds(study, probed),
        **{name: said[name] for name in _KEPT if name in said},
    }
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    design(load_study({"name": "next", **fields}))
    return _comment(distances, probed, command) + text


def _seeds(study: NetworkStudy, probed: ProbedRow) -> int | list[int]:
    seeds = list(study.seeds) or list(probed.networks)
    return len(seeds) if seeds == list(range(len(seeds))) else seeds


def _recipe(study: NetworkStudy, row: NetworkRow) -> dict[str, Any]:
    """Return the fields of a row's recipe; its precision stays open where the study leaves it open."""
    recipe = row.recipe
    if study.leaves_precision_open:
        recipe = recipe.model_copy(update={"precision": study.recipe.precision})
    fields: dict[str, Any] = recipe.model_dump(mode="json", exclude_defaults=True)
    return fields


def _comment(distances: Mapping[int, float], probed: ProbedRow, command: str) -> str:
    """Return what the study is made from, as comments."""
    figures = ", ".join(f"stage {stage} {distance:.3g}" for stage, distance in distances.items())
    seeds = ", ".join(map(str, probed.networks))
    images = sum(probed.first.images)
    return (
        f"# From `{command}`: row {probed.label!r}, seeds {seeds}, {images:,} test images.\n"
        f"# Distance of the gates from a constant for each channel (0: the gates say nothing): {figures}.\n"
        "# Stages are left out in this order. It was measured on test images, without their labels and without any"
        " error:\n# what the rows below cost is not known from it.\n"
    )
