"""The factors backbone and variant: names, with the digest of the code where a plug-in has registered it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ablations.planning.experiment import Factor
from ablations.planning.networks.used_plugins import check_plugins, used_plugins
from senet_core.backbones import find_backbone
from senet_core.variants.label import variant_label
from senet_core.variants.text import parse_variant, variant_from, variant_text
from senet_core.variants.variant import SEVariant

_BUILT_IN = "resnet20"
"""A backbone that no plug-in has: what is asked of `used_plugins` is then of the variant alone."""


def backbone_factor() -> Factor:
    """Return the factor of the trunk's backbone."""
    return Factor("backbone", "a backbone by name", _backbone, lambda value: _name(value))


def variant_factor() -> Factor:
    """Return the factor of the blocks in the trunk."""
    return Factor(
        "variant",
        "plain, se, se:FIELD=VALUE,..., a published block's name, or fields of a block",
        _variant,
        lambda value: variant_label(parse_variant(_name(value))),
    )


def backbone_of(values: Mapping[str, Any]) -> str:
    """Return the backbone's name from the factors of a row."""
    return _name(values["backbone"])


def variant_of(values: Mapping[str, Any]) -> SEVariant | None:
    """Return the variant from the factors of a row."""
    return parse_variant(_name(values["variant"]))


def check_code(values: Mapping[str, Any]) -> None:
    """Check that the code of plug-ins is the same as when a trial was planned.

    Raises:
        UserError: it has changed, or is not there.
    """
    for name in ("backbone", "variant"):
        if isinstance(values[name], dict):
            check_plugins(values[name]["plugins"])


def _backbone(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"name", "plugins"}:  # of a record
        return dict(value)
    found = find_backbone(value if isinstance(value, str) else str(value))
    return _with_code(found.name, dict(used_plugins(found.name, None)))


def _variant(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"name", "plugins"}:
        return dict(value)
    variant = variant_from(value)
    return _with_code(variant_text(variant), dict(used_plugins(_BUILT_IN, variant)))


def _with_code(name: str, plugins: dict[str, str]) -> Any:
    return {"name": name, "plugins": plugins} if plugins else name


def _name(value: Any) -> str:
    return value if isinstance(value, str) else str(value["name"])
