"""The study that a probe leads to: blocks are left out where the gates are nearest to a constant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any, TypeVar

import yaml

from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.summary import NetworkSummary, UnitSummary
from ablations.analysis.results.results import Results
from ablations.planning.commands import StudyCommands
from ablations.planning.design import design
from ablations.planning.networks.row import NetworkRow, network_row
from ablations.planning.networks.study import NetworkStudy, network_study
from ablations.planning.study_file import load_study
from senet_core.errors import UserError
from senet_core.variants.text import variant_text

_Kind = TypeVar("_Kind", int, str)
_KEPT = ("margin", "rests_on", "folder", "plugins", "keep_weights")
"""Fields of the probed study that the new one has, too."""


def stage_distances(row: ProbedRow) -> dict[int, float]:
    """Return the distance of each stage's gates from a constant, mean over units and seeds; the smallest first."""
    return _distances(row, lambda network, unit: unit.stage)


def place_distances(row: ProbedRow) -> dict[str, float]:
    """Return the same of the last unit of each stage ("last") and of the others ("others"); the smallest first."""
    return _distances(
        row, lambda network, unit: "last" if unit is network.stages[unit.stage][-1] else "others"
    )


def _distances(row: ProbedRow, kind: Callable[[NetworkSummary, UnitSummary], _Kind]) -> dict[_Kind, float]:
    found: dict[_Kind, list[float]] = {}
    for network in row.networks.values():
        for unit in network.units:
            value = unit.values["constant_error"]
            found.setdefault(kind(network, unit), []).append(0.0 if value is None else value)
    means = {name: fmean(values) for name, values in found.items()}
    return dict(sorted(means.items(), key=lambda mean: (mean[1], str(mean[0]))))


def next_study(results: Results, probe: GateProbe) -> str:
    """Return the text of a study file that leaves blocks out, where the probed gates are nearest to a constant.

    Stages are left out one after the other, until one is left; and all units but the last of each stage, where their
    gates are nearer to a constant than those of the last.

    Args:
        results: of the study that was probed.
        probe: its gates, of its baseline or of one row.

    Raises:
        UserError: it is not clear which row is meant, or nothing can be left out.
        StudyError: the study would not be valid.
    """
    probed, row = _chosen(results, probe)
    study = network_study(results.asked.study)
    stages, places = stage_distances(probed), place_distances(probed)
    order = list(stages)
    axes: dict[str, list[Any]] = {}
    if len(order) > 1:
        axes["stages"] = [sorted(order[place:]) for place in range(1, len(order))]
    if row.variant is not None and row.variant.units == "all" and next(iter(places)) == "others":
        axes["units"] = ["last"]
    if not axes:
        raise UserError(
            f"row {row.label!r} has gates in stage {order[0]} only, and none there that can be left out alone"
        )
    said = study.fields()
    fields: dict[str, Any] = {
        "title": f"Blocks left out, by the gates of {study.name}",
        "question": "Are gates needed where they are nearest to a constant?",
        "baseline": {
            "backbone": row.backbone,
            "variant": variant_text(row.variant),
            "data": said["baseline"]["data"],
        },
        "recipe": _recipe(study, row),
        "axes": axes,
        "design": "one-factor",
        "include_plain": True,
        "seeds": _seeds(study, probed),
        **{name: said[name] for name in _KEPT if name in said},
    }
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    design(load_study({"name": "next", **fields}))
    command = StudyCommands(study)("probe", *(() if len(probe.rows) > 1 else ("--only", row.label)))
    return _comment(stages, places, probed, command) + text


def _chosen(results: Results, probe: GateProbe) -> tuple[ProbedRow, NetworkRow]:
    """Return the only row that was probed, or the baseline among several."""
    labels = [row.label for row in probe.rows]
    label = labels[0] if len(labels) == 1 else results.design.baseline.label
    if label not in labels:
        raise UserError(
            f"blocks are left out of one row's networks: name it by `rows`, one of {', '.join(labels)}"
        )
    [row] = results.design.only([label]).rows
    return probe.rows[labels.index(label)], network_row(row)


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


def _comment(
    stages: Mapping[int, float], places: Mapping[str, float], probed: ProbedRow, command: str
) -> str:
    """Return what the study is made from, as comments."""
    figures = ", ".join(f"stage {stage} {distance:.3g}" for stage, distance in stages.items())
    units = ""
    if len(places) > 1:
        units = f"; last units of stages {places['last']:.3g}, other units {places['others']:.3g}"
    seeds = ", ".join(map(str, probed.networks))
    images = sum(probed.first.images)
    return (
        f"# From `{command}`: row {probed.label!r}, seeds {seeds}, {images:,} test images.\n"
        "# Distance of the gates from a constant for each channel (0: the gates say nothing):\n"
        f"# {figures}{units}.\n"
        "# Stages are left out in this order. It was measured on test images, without their labels and without any"
        " error:\n# what the rows below cost is not known from it.\n"
    )
