"""Units of a network, seen as the paper draws them, and what an SE block makes of them.

A *form* says how to read a block that somebody else wrote. A residual block has a branch f, a shortcut s and
what follows the addition (`ResidualForm`, every integration); a block without a shortcut has an output to
gate (`OutputForm`, the standard integration only). `SEUnit` takes over the block's layers, names kept, and
runs them in the order that the integration asks for. docs/adding-a-block.md teaches a new block.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from torch import Tensor, nn

from senet_core.blocks.block import SEBlock
from senet_core.blocks.registry import BUILT_IN, registering_from
from senet_core.blocks.slots import FORMS, INTEGRATIONS
from senet_core.errors import UserError
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
    """

    integrations: tuple[str, ...] | None = None
    keeps: tuple[str, ...] = ()

    def channels(self, block: Layers) -> Channels:
        """Return the channels of a block, before its layers move."""
        raise NotImplementedError

    def gated(self, unit: SEUnit, x: Tensor) -> Tensor:
        """Compute the unit's output, SE block included."""
        raise NotImplementedError


class ResidualForm(UnitForm):
    """How to read branch, shortcut and ending off one class of residual block.

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

    def drop(self, unit: Layers) -> Inside | None:
        """Return the stochastic depth that acts on the branch before the addition, if the block has one."""
        return None

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
        return self.finish(block, self.branch(block, x, None) + self.shortcut(block, x))

    def gated(self, unit: SEUnit, x: Tensor) -> Tensor:
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

    def gated(self, unit: SEUnit, x: Tensor) -> Tensor:
        """Weigh the block's output."""
        weighed: Tensor = unit.se(self.output(unit, x))
        return weighed


AnyForm = TypeVar("AnyForm", bound=type[UnitForm])


def unit_form(*classes: str) -> Callable[[AnyForm], AnyForm]:
    """Use the decorated form for blocks of these classes, named "module.Class"; subclasses are not meant.

    Raises:
        UserError: a form is known for one of the classes already.
    """

    def add(form: AnyForm) -> AnyForm:
        own = form.__module__.startswith("senet_core.")
        if not own:  # so that ours are never found to be registered second
            from senet_core import resnet_forms  # noqa: F401
        # ours come with the network that needs them, which may be built while a plug-in is loaded
        with registering_from(BUILT_IN) if own else nullcontext():
            for name in classes:
                FORMS.register(name, source=form.__module__)(form)
        return form

    return add


@cache
def _made(form: Callable[[], UnitForm]) -> UnitForm:
    return form()


def class_name(block: nn.Module) -> str:
    """Return "module.Class" of a module."""
    return f"{type(block).__module__}.{type(block).__qualname__}"


def form_of(block: nn.Module) -> UnitForm:
    """Return the form of a block.

    Raises:
        UserError: no form is known for its class.
    """
    from senet_core import resnet_forms  # noqa: F401  # registers the forms of torchvision's and timm's blocks

    name = class_name(block)
    if name not in FORMS:
        raise UserError(
            f"cannot put an SE block into {name}: no form says where its residual branch is; known blocks: "
            f"{', '.join(FORMS)}; to teach it, decorate a ResidualForm with @unit_form({name!r}),"
            " see docs/adding-a-block.md"
        )
    return _made(FORMS[name].build)


def check_integration(integration: str, possible: tuple[str, ...] | None, where: str) -> None:
    """Refuse an integration that a network does not have.

    Raises:
        UserError: with what is possible.
    """
    if possible is not None and integration not in possible:
        raise UserError(
            f"integration {integration!r} is not possible in {where}; possible there: {', '.join(possible)}"
        )


class SEUnit(nn.Module):
    """A unit with an SE block: the layers of `block` under their own names, and the SE block as `se`.

    Args:
        block: a block of a known class; its layers move into the unit.
        se: the SE block, for the channels that the integration gates.
        integration: a registered integration.

    Shapes:
        x: (N, C_in, H, W); returns what the block returned.

    Raises:
        UserError: the block's class or the integration is unknown, the block does not have the integration,
            or it has an attention layer named `se` already.
    """

    se: SEBlock

    def __init__(self, block: nn.Module, se: SEBlock, *, integration: str) -> None:
        super().__init__()
        self.form = checked_form(block, integration)
        self.integration = integration
        self.integrate = INTEGRATIONS[integration].build
        for name, layer in block.named_children():
            self.add_module(name, layer)
        for name, parameter in block.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in block.named_buffers(recurse=False):
            self.register_buffer(name, buffer, persistent=name not in block._non_persistent_buffers_set)
        for name in self.form.keeps:
            setattr(self, name, getattr(block, name))
        self.se = se

    @property
    def residual(self) -> ResidualForm:
        """The form of a unit that has a branch and a shortcut."""
        assert isinstance(self.form, ResidualForm), "integrations other than standard are refused elsewhere"
        return self.form

    @property
    def drop(self) -> Inside | None:
        """Stochastic depth, where the unit has it."""
        return self.residual.drop(self)

    def branch(self, x: Tensor, inside: Inside | None = None, *, dropped: bool = True) -> Tensor:
        """Compute f(x), with stochastic depth where the unit has it, unless it is left to the caller."""
        y = self.residual.branch(self, x, inside)
        drop = self.drop if dropped else None
        return y if drop is None else drop(y)

    @property
    def last_norm(self) -> nn.Module:
        """The batch norm that ends the branch, where the form names it."""
        return self.get_submodule(self.residual.last_norm)

    def unfinished(self, x: Tensor, inside: Inside | None = None) -> Tensor:
        """Compute f(x) up to its last batch norm, where the form names it."""
        return self.residual.unfinished(self, x, inside)

    def shortcut(self, x: Tensor) -> Tensor:
        """Compute s(x)."""
        return self.residual.shortcut(self, x)

    def finish(self, y: Tensor) -> Tensor:
        """Apply what follows the addition."""
        return self.residual.finish(self, y)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit, SE block included."""
        return self.form.gated(self, x)

    def extra_repr(self) -> str:
        """Say what the constructor was given."""
        return f"integration={self.integration}"


def checked_form(block: nn.Module, integration: str) -> UnitForm:
    """Return the form of a block that can take an SE block.

    Raises:
        UserError: the class is unknown, the integration impossible, or the block has attention of its own.
    """
    form = form_of(block)
    check_integration(integration, form.integrations, class_name(block))
    if getattr(block, "se", None) is not None:
        raise UserError(
            f"{class_name(block)} has an attention layer of its own, named 'se'; start from the plain network"
        )
    return form
