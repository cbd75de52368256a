"""What a plan reckons with is what the report corrects over, for every kind of design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.results.results import Results
from ablations.planning.designs import DESIGNS
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

AXES = {"reduction": [2, 4, 8, 16], "squeeze": ["avg", "max"], "excitation": ["sigmoid", "relu", "tanh"]}
ALONE = {axis: values[-1:] for axis, values in AXES.items()}
FIELDS: dict[str, dict[str, Any]] = {
    "one-factor": {},
    "grid": {},
    "pairwise": {},
    "leave-one-out": {"axes": ALONE},
    "add-one": {"axes": ALONE},
    "race": {"seeds": 4},
    "tuned": {"tune": {"validation_images": 100}},
}


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("kind", FIELDS)
def test_a_plan_reckons_with_the_comparisons_of_the_report(kind: str, plain: bool, tmp_path: Path) -> None:
    design = study_design(
        **{"design": kind, "axes": AXES, "seeds": 3, "include_plain": plain, **FIELDS[kind]}
    )
    results = Results(design, write_record(tmp_path, simulated(design)))
    assert design.kind.comparisons(design) == len(results.comparisons)
    assert {c.members for c in results.comparisons.values()} == {len(results.comparisons)}
    shown = {label for family in results.families for label in family.comparisons}
    assert shown == results.comparisons.keys()


def test_a_search_is_reckoned_with_all_the_winners_that_may_come(tmp_path: Path) -> None:
    fields = {"seeds": [], "confirm": 2, "search": {"trials": 5, "validation_images": 100, "winners": 4}}
    design = study_design(design="search", axes=AXES, **fields)
    assert design.kind.comparisons(design) == 4 + 1  # and the plain network
    rows = [row for row in study_design(axes=AXES).rows if row.axis is not None][:4]
    found = design.with_winners(rows)
    [(_, family)] = found.families
    assert len(family) - 1 == 5


def test_every_kind_is_named_here_and_has_one_name_only() -> None:
    assert {*FIELDS, "search"} == DESIGNS.keys()
    assert all(kind.name == name and kind.description for name, kind in DESIGNS.items())
