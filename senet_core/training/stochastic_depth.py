"""Stochastic depth: residual branches of a finished network that are left out at random in training."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torchvision.ops import StochasticDepth  # type: ignore[import-untyped,unused-ignore]

from senet_core.backbones.catalog import Place
from senet_core.blocks.slots import FORMS
from senet_core.errors import UserError
from senet_core.insertion import units_at
from senet_core.units import PlainUnit, SEUnit, class_name, form_of


def add_stochastic_depth(model: nn.Module, rate: float, stages: Mapping[int, Place]) -> nn.Module:
    """Leave residual branches out at random in training, for each image by itself; return the network.

    An SE block sees the whole branch, and what it weighed is left out. Names of the state dict are kept.

    Args:
        model: a network, with or without SE blocks.
        rate: probability for the last branch, at least 0 and below 1; it rises linearly from the first one.
        stages: stage number to the place of the stage's units.

    Raises:
        UserError: the network has no residual units.

    Source: Huang et al. 2016, arXiv:1603.09382, section 3, equation 4 for the linear rise.
    """
    places = [place for _, place in sorted(stages.items())]
    units = [(path, unit) for place in places for path, unit in units_at(model, place) if _is_residual(unit)]
    if not units:
        raise UserError("it has no residual units")
    for number, (path, unit) in enumerate(units, start=1):
        dropping = unit
        if not isinstance(unit, SEUnit) and not form_of(unit).drops_itself:
            dropping = PlainUnit(unit)
            parent, _, name = path.rpartition(".")
            model.get_submodule(parent)._modules[name] = dropping
        dropping.drop_path = StochasticDepth(rate * number / len(units), "row")
    return model


def _is_residual(unit: nn.Module) -> bool:
    form = unit.form if isinstance(unit, SEUnit) else None
    if form is None and class_name(unit) in FORMS:
        form = form_of(unit)
    return form is not None and form.is_residual(unit)
