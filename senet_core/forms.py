"""Forms: how to read a block that somebody else wrote, so that an SE block can be put into it.

A residual block has a branch f, a shortcut s and what follows the addition (`ResidualForm`, every integration); a block
without a shortcut has an output to gate (`OutputForm`, the standard integration only). docs/adding-a-block.md teaches a
new block. Import these names from `senet_core.units`: the forms of torchvision's and timm's blocks are known then.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

from senet_core.blocks.registry import BUILT_IN, registering_from
from senet_core.blocks.slots import FORMS
from senet_core.kernel_hook import norm_add_relu, passes_in_use

Inside = Callable[[Tensor], Tensor]
Layers = Any
"""A module whose layers are read by name: a block, or the unit that took its layers over."""


@dataclass(frozen=True)
class Channels:
    """Channels of a unit: at its input, after its 3x3 convolution, and where the branch ends."""

    into: int
    inner: int
    out: int

    def at(self, gates: str) -> int:
        """Return the channels that a block weighs, by the integration's trait `gates`."""
        return {"in": self.into, "inner": self.inner, "out": self.out}[gates]


class UnitForm:
    """How to run one class of block with an SE block in it. Forms have no state.

    Attributes:
        integrations: the integrations that make sense in the block; None for every one.
        keeps: plain attributes of the block, beside its layers, that the form reads.
        drops_itself: whether the block's own code leaves its branch out by a layer named `drop_path`, if it has one.
    """

    integrations: tuple[str, ...] | None = None
    keeps: tuple[str, ...] = ()
    drops_itself: bool = False

    def channels(self, block: Layers) -> Channels:
        """Return the channels of a block, before its layers move."""
        raise NotImplementedError

    def gated(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute the unit's output, SE block included."""
        raise NotImplementedError

    def plain(self, block: Layers, x: Tensor) -> Tensor:
        """Compute the block without SE; only for blocks that are residual."""
        raise NotImplementedError

    def is_residual(self, block: Layers) -> bool:
        """Return whether a block adds a branch to a shortcut, so that it still works where the branch is left out."""
        return False

    def drop(self, unit: Layers) -> Inside | None:
        """Return the stochastic depth that acts on the branch before the addition, if the unit has one."""
        found: Inside | None = unit._modules.get("drop_path")
        return found


class ResidualForm(UnitForm):
    """How to run branch, shortcut and ending of one class of residual block.

    The methods take a module that holds the block's layers under their own names. `channels` must be written, and
    `branch`, or where the branch ends in a batch norm, `unfinished` and `last_norm`, from which follows `branch`, and
    by which the batch norm can be fused with what comes after it. The others serve most blocks as they are.

    Attributes:
        last_norm: the name of the batch norm that ends the branch; empty where `branch` is written.
    """

    last_norm: str = ""

    def enter(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute what branch and shortcut both start from, such as a common pre-activation."""
        return x

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x), passing the 3x3 convolution's activated output through `inside` if given."""
        y: Tensor = getattr(unit, self.last_norm)(self.unfinished(unit, x, inside))
        return y

    def unfinished(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x) up to its last batch norm."""
        raise NotImplementedError

    def is_residual(self, block: Layers) -> bool:
        """Return True: it has a branch and a shortcut."""
        return True

    def shortcut(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute s(x): the block's projection, or x."""
        downsample = unit._modules.get("downsample")
        y: Tensor = x if downsample is None else downsample(x)
        return y

    def finish(self, unit: Layers, y: Tensor) -> Tensor:
        """Apply what follows the addition."""
        return y.relu_()

    def plain(self, block: Layers, x: Tensor) -> Tensor:
        """Compute the block without SE. Our own blocks run on this, so that plain and SE share their code."""
        x = self.enter(block, x)
        if self._is_fusible(block):
            norm = getattr(block, self.last_norm)
            return norm_add_relu(norm, self.unfinished(block, x, None), self.shortcut(block, x))
        y, drop = self.branch(block, x, None), self.drop(block)
        return self.finish(block, (y if drop is None else drop(y)) + self.shortcut(block, x))

    def gated(self, unit: Layers, x: Tensor) -> Tensor:
        """Run the unit's integration, by fused passes where there are any."""
        passes = passes_in_use() if self._is_fusible(unit) else None
        fused = None if passes is None else passes.integrations.get(unit.integration)
        merged: Tensor = (fused or unit.integrate)(unit, unit.se, self.enter(unit, x))
        return merged

    def _is_fusible(self, unit: Layers) -> bool:
        """Return whether the branch ends in a batch norm that goes straight into the unit's ending."""
        own = type(self)
        as_here = own.branch is ResidualForm.branch and own.finish is ResidualForm.finish
        return bool(self.last_norm) and as_here and self.drop(unit) is None


class OutputForm(UnitForm):
    """How to run one class of block without a shortcut; the SE block weighs its output."""

    integrations = ("standard",)

    def output(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute what the block returned."""
        raise NotImplementedError

    def gated(self, unit: Layers, x: Tensor) -> Tensor:
        """Weigh the block's output."""
        weighed: Tensor = unit.se(self.output(unit, x))
        return weighed


AnyForm = TypeVar("AnyForm", bound=type[UnitForm])


def unit_form(*classes: str) -> Callable[[AnyForm], AnyForm]:
    """Register the decorated form for blocks of these classes, named "module.Class", without their subclasses.

    Raises:
        UserError: a form is known for one of the classes already.
    """

    def add(form: AnyForm) -> AnyForm:
        own = form.__module__.startswith("senet_core.")
        # ours come with the network that needs them, which may be built while a plug-in is loaded
        with registering_from(BUILT_IN) if own else nullcontext():
            for name in classes:
                FORMS.register(name, source=form.__module__)(form)
        return form

    return add
