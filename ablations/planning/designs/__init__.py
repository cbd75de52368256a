"""The kinds of design, a file each: which rows a study has, which are compared together, what is trained next."""

from __future__ import annotations

from ablations.planning.designs.components import AddOneDesign, LeaveOneOutDesign
from ablations.planning.designs.grid import GridDesign
from ablations.planning.designs.kind import DesignKind
from ablations.planning.designs.one_factor import OneFactorDesign
from ablations.planning.designs.pairwise import PairwiseDesign
from ablations.planning.designs.race import RaceDesign
from ablations.planning.designs.search import SearchDesign
from ablations.planning.designs.tuned import TunedDesign

DESIGNS: dict[str, DesignKind] = {
    kind.name: kind
    for kind in (
        OneFactorDesign(),
        GridDesign(),
        PairwiseDesign(),
        LeaveOneOutDesign(),
        AddOneDesign(),
        RaceDesign(),
        TunedDesign(),
        SearchDesign(),
    )
}
"""Every kind by its name; a new one is a class in a file of its own and a line here."""

__all__ = ["DESIGNS", "DesignKind"]
