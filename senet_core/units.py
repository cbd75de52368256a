"""SE units: blocks of a network that run with an SE block in them.

A *form* says how to read a block that somebody else wrote. `SEUnit` takes over the block's layers, names kept, and runs
them in the order that the integration asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from torch import Tensor, nn

from senet_core import resnet_forms  # noqa: F401  # registers the forms of torchvision's and timm's blocks
from senet_core.blocks.slots import FORMS, INTEGRATIONS, check_integration
from senet_core.blocks.unit_block import UnitBlock
from senet_core.errors import UserError
from senet_core.forms import Channels, Inside, Layers, OutputForm, ResidualForm, UnitForm, unit_form

__all__ = [
    "Channels",
    "Inside",
    "Layers",
    "OutputForm",
    "ResidualForm",
    "SEUnit",
    "UnitForm",
    "checked_form",
    "form_of",
    "unit_form",
]


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
    name = class_name(block)
    if name not in FORMS:
        raise UserError(
            f"cannot put an SE block into {name}: no form says where its residual branch is; known blocks: "
            f"{', '.join(FORMS)}; to teach it, decorate a ResidualForm with @unit_form({name!r}),"
            " see docs/adding-a-block.md"
        )
    return _made(FORMS[name].build)


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

    se: UnitBlock

    def __init__(self, block: nn.Module, se: UnitBlock, *, integration: str) -> None:
        super().__init__()
        self.form = checked_form(block, integration)
        self.integration = integration
        self.integrate = INTEGRATIONS[integration].build
        _take_over(self, block, self.form)
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
        """Compute f(x), followed by the unit's stochastic depth unless `dropped` is False."""
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
        """Return what the constructor was given, for `repr`."""
        return f"integration={self.integration}"


class PlainUnit(nn.Module):
    """A unit without an SE block that its form runs: the layers of `block` under their own names.

    Args:
        block: a residual block of a known class; its layers move into the unit.

    Shapes:
        x: (N, C_in, H, W); returns what the block returned.

    Raises:
        UserError: the block's class is unknown.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.form = form_of(block)
        _take_over(self, block, self.form)
        self.train(block.training)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


def _take_over(unit: nn.Module, block: nn.Module, form: UnitForm) -> None:
    for name, layer in block.named_children():
        unit.add_module(name, layer)
    for name, parameter in block.named_parameters(recurse=False):
        unit.register_parameter(name, parameter)
    for name, buffer in block.named_buffers(recurse=False):
        unit.register_buffer(name, buffer, persistent=name not in block._non_persistent_buffers_set)
    for name in form.keeps:
        setattr(unit, name, getattr(block, name))


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
