"""SEVariant: one point of the design space, as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from senet_core import integration as _integration  # noqa: F401

# the built-in entries must be registered before a name is checked, whichever module is imported first
from senet_core.blocks import excitation as _excitation  # noqa: F401
from senet_core.blocks import gates as _gates  # noqa: F401
from senet_core.blocks import squeeze as _squeeze  # noqa: F401
from senet_core.blocks.slots import SLOTS
from senet_core.errors import UserError, unknown

Reduction = int | tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SEVariant:
    """One point of the design space. The defaults are the paper's SE block.

    Attributes:
        squeeze: a registered squeeze.
        excitation: a registered excitation.
        gate: a registered gate network.
        reduction: channels per bottleneck unit, the paper's r, at least 1; one number, or (stage, r) pairs, one
            for each stage that has blocks. A mapping is accepted and stored as sorted pairs.
        stages: the stages whose units get a block, in the paper's numbers; None for all of them.
        integration: a registered integration.
        bias: whether the gate's layers have biases (the paper's section 6 has none).

    Raises:
        UserError: a name is not registered, or a value is out of range.
    """

    squeeze: str = "avg"
    excitation: str = "sigmoid"
    gate: str = "bottleneck"
    reduction: Reduction = 16
    stages: tuple[int, ...] | None = None
    integration: str = "standard"
    bias: bool = False

    def __post_init__(self) -> None:
        for slot, registry in SLOTS.items():
            name = getattr(self, slot)
            if not isinstance(name, str):
                raise UserError(
                    f"{slot} must be a registered name, got {name!r}; known: {', '.join(registry)}"
                )
            registry[name]  # a wrong name fails here, not an hour into the study
        object.__setattr__(self, "stages", _checked_stages(self.stages))
        object.__setattr__(self, "reduction", _checked_reduction(self.reduction))
        if isinstance(self.reduction, tuple) and self.stages is not None:
            given = {stage for stage, _ in self.reduction}
            if given != set(self.stages):
                raise UserError(
                    f"reduction is given for stages {_joined(sorted(given))},"
                    f" but the blocks are in stages {_joined(self.stages)}"
                )
        if not isinstance(self.bias, bool):
            raise UserError(f"bias must be true or false, got {self.bias!r}")

    def reduction_in(self, stage: int) -> int:
        """Return the reduction ratio of one stage.

        Raises:
            UserError: reductions are given per stage, and not for this one.
        """
        if isinstance(self.reduction, int):
            return self.reduction
        for known, ratio in self.reduction:
            if known == stage:
                return ratio
        raise UserError(
            f"no reduction is given for stage {stage}; given for {_joined(s for s, _ in self.reduction)}"
        )

    def width(self, channels: int, stage: int) -> int:
        """Return the bottleneck units built for `channels` in a stage, at least one.

        Two reductions may share a width: record it.
        """
        return max(1, channels // self.reduction_in(stage))

    def on(self, stages: Iterable[int]) -> SEVariant:
        """Return the normal form of this variant in a network with the given stages.

        All stages by name become None, and equal reductions in every stage become one number, so that one
        network has one value.

        Raises:
            UserError: a stage, or the stage of a reduction, does not exist in the network.
        """
        available = tuple(sorted(stages))
        for stage in self.stages or ():
            if stage not in available:
                raise unknown("stage", stage, available)
        chosen = available if self.stages is None else self.stages
        reduction = self.reduction
        if isinstance(reduction, tuple):
            for stage, _ in reduction:
                if stage not in chosen:
                    raise unknown("stage of reduction", stage, chosen)
            ratios = {stage: self.reduction_in(stage) for stage in chosen}
            if len(set(ratios.values())) == 1:
                reduction = next(iter(ratios.values()))
        return replace(self, reduction=reduction, stages=None if chosen == available else chosen)

    @property
    def label(self) -> str:
        """Name the variant as the paper's tables do, by what differs from its SE block: "SE-PRE r=8"."""
        from senet_core.variant_text import variant_label

        return variant_label(self)

    def __str__(self) -> str:
        from senet_core.variant_text import variant_text

        return variant_text(self)


def _checked_stages(stages: object) -> tuple[int, ...] | None:
    if stages is None or stages == "all":
        return None
    if isinstance(stages, int) and not isinstance(stages, bool):
        stages = (stages,)
    if not isinstance(stages, (tuple, list)) or not all(_is_whole(stage) for stage in stages):
        raise UserError(f"stages must be 'all' or a list of stage numbers, got {stages!r}")
    if not stages:
        raise UserError(
            "stages is empty; name at least one stage, or use 'plain' for the network without blocks"
        )
    if len(set(stages)) < len(stages):
        raise UserError(f"stages names a stage twice: {stages!r}")
    return tuple(sorted(stages))


def _checked_reduction(reduction: object) -> Reduction:
    if isinstance(reduction, Mapping):
        reduction = tuple(reduction.items())
    if _is_whole(reduction):
        ratios: list[object] = [reduction]
    elif isinstance(reduction, (tuple, list)) and reduction:
        if not all(
            isinstance(pair, (tuple, list)) and len(pair) == 2 and _is_whole(pair[0]) for pair in reduction
        ):
            raise UserError(
                f"reduction must be a whole number, or one for each stage (2: 8, 3: 16), got {reduction!r}"
            )
        if len({stage for stage, _ in reduction}) < len(reduction):
            raise UserError(f"reduction names a stage twice: {reduction!r}")
        ratios = [ratio for _, ratio in reduction]
    else:
        raise UserError(
            f"reduction must be a whole number of at least 1, or one for each stage, got {reduction!r}"
        )
    for ratio in ratios:
        if not _is_whole(ratio) or ratio < 1:  # type: ignore[operator]
            raise UserError(f"reduction must be a whole number of at least 1, got {ratio!r}")
    if isinstance(reduction, int):
        return reduction
    return tuple(sorted((stage, ratio) for stage, ratio in reduction))  # type: ignore[attr-defined]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


PAPER_SE = SEVariant()
"""The paper's SE block: average squeeze, sigmoid, r = 16, all stages, standard integration, no biases."""
