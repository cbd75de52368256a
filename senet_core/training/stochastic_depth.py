"""Stochastic depth: residual branches of a finished network that are left out at random in training."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from senet_core.backbones.catalog import Place
from senet_core.blocks.slots import FORMS
from senet_core.errors import UserError
from senet_core.insertion import units_at
from senet_core.units import PlainUnit, SEUnit, UnitForm, class_name, form_of


def add_stochastic_depth(model: nn.Module, rate: float, stages: Mapping[int, Place]) -> nn.Module:
    """Leave residual branches out at random in training, for each image by itself; return the network.

    An SE block sees the whole branch, and what it weighed is left out. Names of the state dict are kept.

    Args:
        model: a network, with or without SE blocks.
        rate: probability for the last branch, at least 0 and below 1; it rises linearly from the first one.
        stages: stage number to the place of the stage's units.

    Raises:
        UserError: the network has no residual units, or stochastic depth of its own.

    Source: Huang et al. 2016, arXiv:1603.09382, section 3, equation 4 for the linear rise.
    """
    from torchvision.ops import StochasticDepth  # type: ignore[import-untyped,unused-ignore]  # a second or two

    places = [place for _, place in sorted(stages.items())]
    units = [(path, unit) for place in places for path, unit in units_at(model, place) if _is_residual(unit)]
    if not units:
        raise UserError("it has no residual units")
    if any(_form(unit).drop(unit) is not None for _, unit in units):
        raise UserError("it has stochastic depth of its own, in its definition")
    for number, (path, unit) in enumerate(units, start=1):
        dropping = unit
        if not isinstance(unit, SEUnit) and not _form(unit).drops_itself:
            dropping = PlainUnit(unit)
            parent, _, name = path.rpartition(".")
            model.get_submodule(parent)._modules[name] = dropping
        dropping.drop_path = StochasticDepth(rate * number / len(units), "row")
        if _form(dropping).drop(dropping) is not dropping.drop_path:
            raise UserError("the form of its units has a `drop` of its own")
    return model


def _is_residual(unit: nn.Module) -> bool:
    known = isinstance(unit, SEUnit) or class_name(unit) in FORMS
    return known and _form(unit).is_residual(unit)


def _form(unit: nn.Module) -> UnitForm:
    return unit.form if isinstance(unit, SEUnit | PlainUnit) else form_of(unit)
