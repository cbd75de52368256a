"""Refusal of studies that compare a network with itself."""

from __future__ import annotations

from collections.abc import Mapping

from ablations.errors import StudyError
from ablations.planning.design import Design
from ablations.planning.networks.row import NetworkRow, network_rows
from ablations.running.training.networks import Networks
from senet_core.fingerprint import Structure
from senet_core.variants.text import variant_fields
from senet_core.variants.variant import SEVariant


def refuse_identical(design: Design, networks: Networks | None = None) -> None:
    """Refuse a study in which two rows are one network, trained in one way, unless it says `allow_identical`.

    Args:
        design: the study, unfolded.
        networks: what is known of its networks already.

    Raises:
        StudyError: with both rows, and why they are the same.
    """
    if design.study.allow_identical:
        return
    networks = networks or Networks()
    pairs = networks.identical(network_rows(design.rows))
    if not pairs:
        return
    more = f" ({len(pairs) - 1} more such pairs)" if len(pairs) > 1 else ""
    raise StudyError(
        f"study {design.study.name!r}: rows {explain_identical(*pairs[0], networks)}{more}; a difference between"
        " them would be chance: leave one out, or say allow_identical: true in the study"
    )


def explain_identical(one: NetworkRow, other: NetworkRow, networks: Networks) -> str:
    """Return in words which two rows are the same network, and why.

    Returns:
        "'A' and 'B' are the same network: width 1 in stage 2 for both, since 16 // 16 = 1 and 16 // 32 is
        floored to 1".
    """
    shown = f"{one.label!r} and {other.label!r} are the same network"
    if one.backbone == other.backbone and one.variant == other.variant:
        return (
            f"{shown}, trained alike: their recipes differ in what does nothing here, {_recipes(one, other)}"
        )
    changed = _changed(one, other)
    if list(changed) == ["reduction"] and one.variant is not None and other.variant is not None:
        made_of, other_made_of = networks.structure(one), networks.structure(other)
        if made_of is not None and not made_of.widths:
            reader = (
                f"the gate {one.variant.gate!r}"
                if one.variant.block == "se"
                else f"the block {one.variant.block!r}"
            )
            return f"{shown}: {reader} has no bottleneck, and reads no reduction"
        if made_of is not None and other_made_of is not None and made_of.widths == other_made_of.widths:
            return f"{shown}: {_widths(made_of, one.variant, other.variant)}"
    said = ", ".join(f"{name} {a} and {b}" for name, (a, b) in changed.items())
    mark = networks.fingerprint(one)
    assert mark is not None, "only rows with fingerprints are said to be identical"
    return (
        f"{shown}: they differ in {said}, and with the same {mark.parameters:,} parameters compute the same outputs"
        f" and gradients (function {mark.function[:8]})"
    )


def _widths(made_of: Structure, one: SEVariant, other: SEVariant) -> str:
    channels = dict(made_of.channels)
    clauses: dict[tuple[str, str], list[int]] = {}
    for stage, widths in made_of.widths:
        ratios = one.reduction_in(stage), other.reduction_in(stage)
        if ratios[0] == ratios[1]:
            continue
        for count, width in dict.fromkeys(zip(channels[stage], widths, strict=True)):
            why = " and ".join(_quotient(count, ratio) for ratio in ratios)
            clauses.setdefault((f"width {width}", why), []).append(stage)
    return "; ".join(
        f"{width} in stage{'s' if len(stages) > 1 else ''} {', '.join(map(str, stages))} for both, since {why}"
        for (width, why), stages in clauses.items()
    )


def _quotient(channels: int, ratio: int) -> str:
    if channels < ratio:
        return f"{channels} // {ratio} is floored to 1"
    return f"{channels} // {ratio} = {channels // ratio}"


def _changed(one: NetworkRow, other: NetworkRow) -> Mapping[str, tuple[str, str]]:
    mine = {"backbone": one.backbone, **variant_fields(one.variant)}
    theirs = {"backbone": other.backbone, **variant_fields(other.variant)}
    names = dict.fromkeys([*mine, *theirs])
    both = {name: (mine.get(name, "none"), theirs.get(name, "none")) for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _recipes(one: NetworkRow, other: NetworkRow) -> str:
    mine, theirs = one.recipe.model_dump(), other.recipe.model_dump()
    return ", ".join(f"{name} {mine[name]} and {theirs[name]}" for name in mine if mine[name] != theirs[name])
