"""SEVariant: one point of the design space, as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from senet_core.blocks.slots import SLOTS
from senet_core.errors import UserError, unknown
from senet_core.variants.checks import (
    Reduction,
    checked_opening,
    checked_reduction,
    checked_stages,
    joined,
)

PREFIX = "se:"
"""What the text form of a variant starts with."""
UNITS = ("all", "last")
"""Which units of a stage may have a block."""
PIECES = ("squeeze", "excitation", "gate", "bias", "fusion", "gate_init", "opening")
"""The fields that say what an SE block is made of; a whole block has none of them."""
PLACEMENT = ("reduction", "stages", "integration", "units")
"""The fields that say how large a block is and where it stands; the others say what it is."""
_LATER = ("fusion", "gate_init", "opening", "block", "units")
"""Fields that the text form leaves out where they are the paper's: it is part of the keys of trials, and those that ran
before a field existed keep theirs."""


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
        fusion: a registered fusion, by which the gates meet the map.
        gate_init: a registered gate initialisation, from which the gate network starts.
        opening: where a learned bias of the logits starts, one for each channel; None for no such bias.
        block: a registered block; all but "se" are whole, and squeeze, excitation, gate, bias, fusion, gate_init and
            opening are then not to be chosen.
        units: "all" units of the stages have a block, or the "last" one of each.

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
    fusion: str = "scale"
    gate_init: str = "torch"
    opening: float | None = None
    block: str = "se"
    units: str = "all"

    def __post_init__(self) -> None:
        for slot, registry in SLOTS.items():
            name = getattr(self, slot)
            if not isinstance(name, str):
                raise UserError(
                    f"{slot} must be a registered name, got {name!r}; known: {', '.join(registry)}"
                )
            registry[name]  # a wrong name fails here, not an hour into the study
        object.__setattr__(self, "stages", checked_stages(self.stages))
        object.__setattr__(self, "reduction", checked_reduction(self.reduction))
        if isinstance(self.reduction, tuple) and self.stages is not None:
            given = {stage for stage, _ in self.reduction}
            if given != set(self.stages):
                raise UserError(
                    f"reduction is given for stages {joined(sorted(given))},"
                    f" but the blocks are in stages {joined(self.stages)}"
                )
        if not isinstance(self.bias, bool):
            raise UserError(f"bias must be true or false, got {self.bias!r}")
        object.__setattr__(self, "opening", checked_opening(self.opening, bias=self.bias))
        if self.units not in UNITS:
            raise UserError(f"units must be {' or '.join(map(repr, UNITS))}, got {self.units!r}")
        self._check_pieces()

    def _check_pieces(self) -> None:
        if self.block != "se":
            usual = {field.name: field.default for field in fields(self)}
            chosen = [name for name in PIECES if getattr(self, name) != usual[name]]
            if chosen:
                raise UserError(
                    f"block {self.block!r} is a whole block, with nothing to choose inside it: leave out"
                    f" {', '.join(chosen)}"
                )
        taken, given = (
            SLOTS[slot][getattr(self, slot)].traits["descriptors"] for slot in ("gate", "squeeze")
        )
        if taken not in (1, given):
            fitting = [
                name for name in SLOTS["squeeze"] if SLOTS["squeeze"][name].traits["descriptors"] == taken
            ]
            raise UserError(
                f"gate {self.gate!r} takes {taken} descriptors of each channel, and squeeze {self.squeeze!r} gives"
                f" {given}; squeezes that give {taken}: {', '.join(fitting) or 'none'}"
            )

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
            f"no reduction is given for stage {stage}; given for {joined(s for s, _ in self.reduction)}"
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
    def uses_reduction(self) -> bool:
        """Whether another reduction ratio makes another network: not where nothing in the block has a bottleneck."""
        if self.block == "se" and self.gate == "bottleneck":
            return True
        from senet_core.blocks.reads import reads_width

        return reads_width(block=self.block, gate=self.gate)

    def __str__(self) -> str:
        usual = PAPER_SE.texts()
        told = {n: v for n, v in self.texts().items() if n not in _LATER or v != usual[n]}
        return PREFIX + ",".join(f"{name}={value}" for name, value in told.items())

    def texts(self) -> dict[str, str]:
        """Return every field as the text form has it."""
        return {
            "squeeze": self.squeeze,
            "excitation": self.excitation,
            "gate": self.gate,
            "reduction": reduction_text(self.reduction),
            "stages": "all" if self.stages is None else "+".join(map(str, self.stages)),
            "integration": self.integration,
            "bias": str(self.bias).lower(),
            "fusion": self.fusion,
            "gate_init": self.gate_init,
            "opening": "none" if self.opening is None else repr(self.opening),
            "block": self.block,
            "units": self.units,
        }


def reduction_text(reduction: Reduction) -> str:
    """Return a reduction ratio as texts and labels have it: "16", or "2:16/3:8" by stage."""
    if isinstance(reduction, int):
        return str(reduction)
    return "/".join(f"{stage}:{ratio}" for stage, ratio in reduction)


# its names are registered by now: whatever is imported of this package, senet_core/__init__.py runs first
PAPER_SE = SEVariant()
"""The paper's SE block: average squeeze, sigmoid, r = 16, all stages, standard integration, no biases."""
