"""Put SE blocks into the chosen stages of a finished network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

from senet_core.backbones.catalog import Place
from senet_core.blocks.block import SEBlock
from senet_core.blocks.slots import GATE_INITS, INTEGRATIONS
from senet_core.blocks.unit_block import UnitBlock
from senet_core.blocks.whole_block import WholeBlock
from senet_core.errors import UserError
from senet_core.randomness import drawing_from
from senet_core.units import SEUnit, checked_form, form_of
from senet_core.variants.text import VariantLike, variant_from
from senet_core.variants.variant import PAPER_SE, SEVariant

RESNET_STAGES = {2: "layer1", 3: "layer2", 4: "layer3", 5: "layer4"}
"""Where ResNets in the manner of torchvision keep their stages, by the paper's numbers."""


def stages_of(model: nn.Module) -> dict[int, Place]:
    """Return the stages of a ResNet-like network: the paper's number and the attribute that holds the units.

    Raises:
        UserError: the network has no such stages.
    """
    found: dict[int, Place] = {
        stage: name
        for stage, name in RESNET_STAGES.items()
        if isinstance(model._modules.get(name), nn.Sequential)
    }
    if not found:
        raise UserError(
            f"cannot find the stages of {type(model).__name__}: it has no layer1, layer2, ... of residual"
            " blocks; say where its units are with stages={2: 'path.of.a.stage', ...}, see"
            " docs/adding-a-block.md"
        )
    return found


def units_at(model: nn.Module, place: Place) -> Iterator[tuple[str, nn.Module]]:
    """Yield the path and the module of every unit of a stage, in the order of the network.

    Raises:
        UserError: the network has nothing at a path.
    """
    if isinstance(place, str):
        for name, _ in _found(model, place).named_children():
            yield f"{place}.{name}", _found(model, f"{place}.{name}")
    else:
        for path in place:
            yield path, _found(model, path)


def _found(model: nn.Module, path: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError:
        raise UserError(
            f"{type(model).__name__} has no module {path!r}, where a stage was said to be"
        ) from None


def insert_se(
    model: nn.Module,
    variant: VariantLike,
    *,
    stages: Mapping[int, Place] | None = None,
    seed: int | None = None,
) -> nn.Module:
    """Put SE blocks into the units of a network, in place; names of its state dict are kept.

    Args:
        model: a network whose stages hold blocks of known classes: torchvision's and timm's ResNets, ResNeXts
            and wide ResNets, this package's networks, and what a `@unit_form` teaches.
        variant: which blocks, and where, as for `build_model`; None leaves the network as it is.
        stages: stage number to the place of the stage's units; found by itself in ResNets.
        seed: the gates start from streams of this seed, one for each unit; None draws from torch's global
            generator.

    Returns:
        The same network.

    Raises:
        UserError: the stages or a block's class are not known, or the integration is not possible in a block;
            the network is then as it was.
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"SE blocks are put into a network, a torch module, got {model!r}")
    if stages is not None and not isinstance(stages, Mapping):
        raise UserError(f"stages are given as {{2: 'path.of.a.stage', ...}}, got {stages!r}")
    variant = variant_from(variant)
    if variant is None:
        return model
    where = dict(stages) if stages is not None else stages_of(model)
    variant = variant.on(where)
    sites = [
        (stage, path, block)
        for stage in (variant.stages or sorted(where))
        for path, block in _chosen(units_at(model, where[stage]), variant)
    ]
    if not sites:
        raise UserError(
            f"{type(model).__name__} has no units in {', '.join(map(repr, where.values())) or 'its stages'}: a stage is"
            " the path of the module whose children are its units"
        )
    for _, _, block in sites:
        if isinstance(block, SEUnit):
            raise UserError(f"{type(model).__name__} has SE blocks already; start from the plain network")
        checked_form(block, variant.integration)  # whatever is refused is refused before the first change
    like = next(model.parameters(), None)  # a network that was moved or cast gets SE blocks of its kind
    for stage, path, block in sites:
        parent, _, name = path.rpartition(".")
        unit = _unit(block, variant, stage=stage, path=path, seed=seed)
        if like is not None:
            unit.se.to(device=like.device, dtype=like.dtype)
        model.get_submodule(parent)._modules[name] = unit
    return model


def _chosen(units: Iterator[tuple[str, nn.Module]], variant: SEVariant) -> list[tuple[str, nn.Module]]:
    """Return the units of a stage that get a block."""
    found = list(units)
    return found[-1:] if variant.units == "last" else found


def _unit(block: nn.Module, variant: SEVariant, *, stage: int, path: str, seed: int | None) -> SEUnit:
    gates = INTEGRATIONS[variant.integration].traits["gates"]
    channels = form_of(block).channels(block).at(gates)
    with drawing_from(seed, "gate", path):
        made = made_of(variant, channels, width=variant.width(channels, stage))
    unit = SEUnit(block, made, integration=variant.integration)
    return unit.train(block.training)


def made_of(variant: SEVariant, channels: int, *, width: int) -> UnitBlock:
    """Make the block of a variant, for a map of so many channels.

    Raises:
        UserError: the block cannot be made for so many channels.
    """
    if variant.block != PAPER_SE.block:
        return WholeBlock(channels, width=width, block=variant.block)
    se = SEBlock(
        channels,
        width=width,
        squeeze=variant.squeeze,
        excitation=variant.excitation,
        gate=variant.gate,
        bias=variant.bias,
        fusion=variant.fusion,
        opening=variant.opening,
    )
    GATE_INITS[variant.gate_init].build(se.network)
    return se


def bottleneck_widths(model: nn.Module, stages: Mapping[int, Place]) -> dict[int, tuple[int, ...]]:
    """Return the bottleneck units of every SE block whose gate has any, by stage and in order."""
    widths: dict[int, tuple[int, ...]] = {}
    for stage, place in stages.items():
        blocks = [unit.se for _, unit in units_at(model, place) if isinstance(unit, SEUnit)]
        found = tuple(block.width for block in blocks if block.reads_width)
        if found:
            widths[stage] = found
    return widths
