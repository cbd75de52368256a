"""The kinds of design, a file each: which rows a study has, which are compared together, what is trained next."""

from __future__ import annotations

from ablations.planning.designs.grid import Grid
from ablations.planning.designs.kind import DesignKind
from ablations.planning.designs.one_factor import OneFactor
from ablations.planning.designs.pairwise import Pairwise
from ablations.planning.designs.race import Race
from ablations.planning.designs.search import Search
from ablations.planning.designs.tuned import Tuned

DESIGNS: dict[str, DesignKind] = {
    kind.name: kind for kind in (OneFactor(), Grid(), Pairwise(), Race(), Tuned(), Search())
}
"""Every kind by its name; a new one is a class in a file of its own and a line here."""

__all__ = ["DESIGNS", "DesignKind"]
