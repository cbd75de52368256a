"""The plug-ins that a network takes code from; they are part of a trial's key."""

from __future__ import annotations

from collections.abc import Mapping

from senet_core.backbones import BACKBONES
from senet_core.blocks.registry import Registry
from senet_core.blocks.slots import FORMS, SLOTS
from senet_core.errors import UserError, unknown
from senet_core.variants.variant import SEVariant

_REGISTRIES: dict[str, Registry] = {**SLOTS, "backbone": BACKBONES, "form": FORMS}


def used_plugins(backbone: str, variant: SEVariant | None) -> tuple[tuple[str, str], ...]:
    """Return ("squeeze:std", digest of its code) for every entry that a network takes from a plug-in.

    With a backbone from a plug-in, the blocks of other plug-ins count as well: which of them it has would be known
    only when it is built.

    Raises:
        UserError: an entry is not registered, or by a script or notebook, which a worker process cannot import.
    """
    used = [] if variant is None else [(slot, getattr(variant, slot)) for slot in SLOTS]
    if backbone in BACKBONES:  # other names are members of the families, which are built in
        used.append(("backbone", backbone))
        own = BACKBONES[backbone].origin
        if own.digest:
            used += [("form", name) for name in FORMS if FORMS[name].origin != own]
    for slot, name in used:
        _check_home(slot, name)
    found = ((f"{slot}:{name}", _REGISTRIES[slot][name].origin.digest) for slot, name in used)
    return tuple(sorted((name, digest) for name, digest in found if digest))


def _check_home(slot: str, name: str) -> None:
    """Refuse an entry whose code neither a worker nor a trial's key would know."""
    if getattr(_REGISTRIES[slot][name].build, "__module__", "") == "__main__":
        raise UserError(
            f"the {slot} {name!r} is registered by the running script or notebook, which worker processes do not"
            " import; move it into a file of its own and name that in `plugins`"
        )


def check_plugins(planned: Mapping[str, str]) -> None:
    """Check that the code of plug-ins is the same as when a trial was planned.

    Args:
        planned: what `used_plugins` returned then.

    Raises:
        UserError: one has changed or is not registered.
    """
    for name, digest in planned.items():
        slot, _, entry = name.partition(":")
        if slot not in _REGISTRIES:
            raise unknown("slot of a plug-in", slot, _REGISTRIES)
        if _REGISTRIES[slot][entry].origin.digest != digest:
            raise UserError(f"the plug-in of {slot} {entry!r} was changed after the study had been read")
