"""Search: looks for the best combinations, and compares the winners on fresh seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ablations.planning.designs.kind import DesignKind, Levels
from ablations.planning.designs.tuned import check_choosing

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.study import Study


class SearchDesign(DesignKind):
    """A search among all combinations; its rows are the winners."""

    name = "search"
    description = "looks for the best networks, or values, among all combinations"
    field = "search"
    varies_alone = False
    decides = True
    chooses = True
    section = "search"

    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return none: the winners are known when the search is over."""
        return iter(())

    def check_seeds(self, study: Study) -> None:
        """Refuse seeds, and a search that would compare nothing."""
        if study.seeds:
            raise ValueError("a search has no seeds: `confirm: N` gives its winners N fresh ones")
        if study.confirm < 2:
            raise ValueError(
                "a search needs `confirm: N`, at least 2: fresh seeds on which its winners meet the baseline"
            )

    def check(self, study: Study) -> None:
        """Refuse what a choice cannot have."""
        check_choosing(study)

    def comparisons(self, design: Design) -> int:
        """Return the winners that may come, and the plain network: the table compares them all with the baseline."""
        winners = 0 if design.study.search is None else design.study.search.winners
        return winners + (design.plain is not None)
