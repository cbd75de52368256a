"""Write and read variants: a short label for people, and a text form that reads back to an equal value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from senet_core.errors import UserError, unknown
from senet_core.variants.variant import PAPER_SE, PREFIX, SEVariant

PLAIN = "plain"
"""What the network without SE blocks is called."""


def variant_label(variant: SEVariant | None) -> str:
    """Return a short name for tables and plots: "plain", "SE", "SE r=8", "SE-PRE max"."""
    return PLAIN if variant is None else variant.label


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
    if not stripped.startswith(PREFIX):
        raise UserError(f"a variant is 'plain', 'se' or 'se:FIELD=VALUE,...', got {text!r}")
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
