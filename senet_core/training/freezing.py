"""Frozen stages: their weights get no gradients, and their batch norms keep their statistics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from torch import nn

from senet_core.backbones.catalog import Place
from senet_core.errors import unknown
from senet_core.insertion import units_at


def freeze(
    model: nn.Module, numbers: Collection[int], stages: Mapping[int, Place], fresh: Collection[str] = ()
) -> tuple[nn.Module, ...]:
    """Freeze stages of a network; what stands before a stage and in no other, such as the stem, belongs to it.

    Args:
        model: the network, changed in place.
        numbers: of the stages.
        stages: stage number to the place of the stage's units.
        fresh: names of the state dict that are no trained weights: what they name goes on being trained.

    Returns:
        The layers that `stay_frozen` must be told of whenever the network was put into training mode.

    Raises:
        UserError: the network has no such stage.
    """
    for number in numbers:
        if number not in stages:
            raise unknown("stage", number, stages)
    frozen = []
    for path, layer, stage in _layers(model, stages):
        names = {f"{path}.{name}" for name in layer.state_dict()}
        if stage in numbers and not names & set(fresh):
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(False)
            frozen.append(layer)
    return tuple(frozen)


def stay_frozen(layers: Collection[nn.Module]) -> None:
    """Put frozen layers into evaluation mode, so that batch norms use and keep their statistics."""
    for layer in layers:
        layer.training = False


def _layers(model: nn.Module, stages: Mapping[int, Place]) -> Iterator[tuple[str, nn.Module, int | None]]:
    """Yield the layers that have weights or statistics of their own, in the network's order, with their stage.

    After the last stage it is None.
    """
    unit_stage = {path: number for number, place in stages.items() for path, _ in units_at(model, place)}
    before: list[tuple[str, nn.Module]] = []
    for path, layer in model.named_modules():
        parts = path.split(".")
        above = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        stage = next((unit_stage[prefix] for prefix in above if prefix in unit_stage), None)
        if [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]:
            before.append((path, layer))
        if stage is not None:
            yield from ((name, module, stage) for name, module in before)
            before.clear()
    yield from ((name, module, None) for name, module in before)
