"""Write and read variants: a text form that reads back to an equal value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches

from senet_core.errors import UserError, unknown
from senet_core.variants.label import PLAIN
from senet_core.variants.published import PUBLISHED, published_in
from senet_core.variants.variant import PAPER_SE, PLACEMENT, PREFIX, SEVariant

VariantLike = SEVariant | str | Mapping[str, object] | None
"""What names a variant: itself, a text form or published name, its fields; None names the plain network."""


def variant_fields(variant: SEVariant | None) -> dict[str, str]:
    """Return every field as the text form has it; none for the plain network."""
    return {} if variant is None else variant.texts()


def variant_text(variant: SEVariant | None) -> str:
    """Return the canonical text form, which `parse_variant` reads back to an equal value."""
    return PLAIN if variant is None else str(variant)


def parse_variant(text: str) -> SEVariant | None:
    """Read a variant from its text form; fields that are left out are the paper's.

    Args:
        text: "plain", "se", or "se:" and fields such as "se:reduction=8,stages=2+3,squeeze=max".

    Raises:
        UserError: the text is no variant.
    """
    stripped = text.strip()
    if stripped == PLAIN:
        return None
    if stripped == PREFIX.rstrip(":"):
        return PAPER_SE
    if stripped in PUBLISHED:
        return PUBLISHED[stripped].of(PAPER_SE)
    if not stripped.startswith(PREFIX):
        raise _no_variant(text)
    values: dict[str, object] = {}
    names = [field.name for field in fields(SEVariant)]
    for part in stripped[len(PREFIX) :].split(","):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if not separator or not value:
            raise UserError(f"a variant's field is written FIELD=VALUE, got {part!r} in {text!r}")
        if name not in names:
            raise unknown("field of a variant", name, names)
        if name in values:
            raise UserError(f"field {name!r} is given twice in {text!r}")
        values[name] = _parsed(name, value)
    return SEVariant(**values)  # type: ignore[arg-type]


def variant_from(value: object) -> SEVariant | None:
    """Read a variant as study files write it: None or "plain", a text form, or a mapping of fields.

    Raises:
        UserError: the value is none of these, or a field is unknown or out of range.
    """
    if value is None or isinstance(value, SEVariant):
        return value
    if isinstance(value, str):
        return parse_variant(value)
    if not isinstance(value, Mapping):
        raise UserError(f"a variant is 'plain', a text such as 'se:reduction=8' or fields, got {value!r}")
    names = [field.name for field in fields(SEVariant)]
    for name in value:
        if name not in names:
            raise unknown("field of a variant", name, names)
    return SEVariant(**value)


def variant_at(start: SEVariant, value: object) -> SEVariant:
    """Return another block where a variant's block stands: a published one by name, or fields on top of the paper's.

    Reduction and placement stay those of `start` where the value does not say them.

    Raises:
        UserError: the value is neither, or a field is unknown or out of range.
    """
    if isinstance(value, str) and value in PUBLISHED:
        return PUBLISHED[value].of(start)
    if isinstance(value, str) and value == PREFIX.rstrip(":"):
        value = {}
    if not isinstance(value, Mapping):
        raise UserError(
            f"a block is the name of a published one ({', '.join(['se', *PUBLISHED])}), or fields such as"
            f" {{gate: identity}}, got {value!r}"
        )
    placed = {name: getattr(start, name) for name in PLACEMENT}
    made = variant_from({**placed, **value})
    assert made is not None, "fields make a block"
    return made


def block_text(variant: SEVariant) -> str:
    """Return what a variant is made of, wherever it stands: a published block's name, or the fields that it changes."""
    found = published_in(variant)
    if found is not None:
        return next(name for name, block in PUBLISHED.items() if block is found)
    usual = PAPER_SE.texts()
    changed = [f"{n}={v}" for n, v in variant.texts().items() if n not in PLACEMENT and v != usual[n]]
    return ",".join(changed) or PREFIX.rstrip(":")


def _no_variant(text: str) -> UserError:
    near = get_close_matches(text, PUBLISHED, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return UserError(
        f"a variant is 'plain', 'se', 'se:FIELD=VALUE,...' or the name of a published block, got {text!r}{meant}"
    )


def _parsed(name: str, value: str) -> object:
    if name == "bias":
        if value not in ("true", "false"):
            raise UserError(f"bias must be true or false, got {value!r}")
        return value == "true"
    if name == "opening":
        return None if value == "none" else _number(name, value)
    if name == "stages":
        return None if value == "all" else tuple(_whole(name, part) for part in value.split("+"))
    if name == "reduction" and ":" in value:
        pairs = (part.partition(":") for part in value.split("/"))
        return tuple((_whole(name, stage), _whole(name, ratio)) for stage, _, ratio in pairs)
    return _whole(name, value) if name == "reduction" else value


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{name} takes whole numbers, got {text!r}") from None


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} takes a number or 'none', got {text!r}") from None
