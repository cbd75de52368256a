"""Components: the classic ablation of a method's parts: all of them, all but one, none; or none, one alone, all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ablations.planning.designs.kind import DesignKind, Levels

if TYPE_CHECKING:
    from ablations.planning.study import Study


class ComponentsDesign(DesignKind):
    """Rows that have the baseline's components, or the axes' values in their place.

    Attributes:
        whole: whether the baseline has all components, and the axes say what is there without them.
        changed: begins the label of a row in which one component is changed.
        all_changed: the label of the row in which all are.
        unchanged: the label of the baseline.
    """

    varies_alone = False
    whole: ClassVar[bool]
    changed: ClassVar[str]
    all_changed: ClassVar[str]
    unchanged: ClassVar[str]

    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return a row for each component, and one for all of them together."""
        for place in range(len(sizes)):
            yield tuple(0 if place == axis else None for axis in range(len(sizes)))
        yield (0,) * len(sizes)

    def check(self, study: Study) -> None:
        """Refuse fewer than two components, and more than one other value of any."""
        components = study.varied
        if len(components) < 2:
            raise ValueError(
                f"design {self.name!r} needs two components or more as axes, got {len(components)}"
            )
        for axis, values in components.items():
            if len(values) != 1:
                what = "what is there without it" if self.whole else "what is there with it"
                raise ValueError(
                    f"design {self.name!r}: the axis {axis!r} has one value, {what}, got {list(values)}"
                )

    def label(self, given: str, changed: Sequence[str], axes: Sequence[str]) -> str:
        """Return "without mixup", "none", "all"."""
        if not changed:
            return self.unchanged
        if len(changed) == len(axes):
            return self.all_changed
        return f"{self.changed} {', '.join(map(component_name, changed))}"

    def has(self, changed: bool) -> bool:
        """Return whether a row has a component, from whether it has the axis's value."""
        return changed != self.whole


class LeaveOneOutDesign(ComponentsDesign):
    """All components, all but one, and none."""

    name = "leave-one-out"
    description = "the baseline has all components: each is left out alone, and all of them together"
    whole, changed, all_changed, unchanged = True, "without", "none", "all"


class AddOneDesign(ComponentsDesign):
    """No component, one alone, and all."""

    name = "add-one"
    description = "the baseline has no component: each is added alone, and all of them together"
    whole, changed, all_changed, unchanged = False, "with", "all", "none"


def component_name(axis: str) -> str:
    """Return what a component is called: "mixup" for the axis "recipe.mixup"."""
    return axis.removeprefix("recipe.")
