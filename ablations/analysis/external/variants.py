"""Which settings make a variant and a seed, and what a variant is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.runs import Recorded, RecordedRun, listed
from senet_core.errors import UserError, unknown

WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0+)?")
"""Seeds that are numbers; longer ones are names: as numbers, two could become one."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|true|false|none", re.IGNORECASE)
_SPEAKING = ("variant", "run_name", "method", "model", "name")
"""Names that say nothing more beside a value."""


def variant_names(recorded: Recorded, asked: Asked, seed: str) -> tuple[str, ...]:
    """Return the settings that make a variant: those asked for, or those of the source, or `variant`.

    Raises:
        UserError: one of them is a setting of no run, is the seed too, or nothing says which are meant.
    """
    known = recorded.setting_names()
    chosen = asked.variant or recorded.variant or (("variant",) if "variant" in known else ())
    if not chosen:
        differ = [name for name in varying(recorded.runs) if name != seed]
        found = (
            f"its {recorded.kind}s differ in {listed(differ, 20)}"
            if differ
            else "all runs have the same settings"
        )
        raise UserError(f"{recorded.where}: `columns.variant=NAMES` says what makes a variant; {found}")
    for name in chosen:
        if name not in known:
            raise absent(recorded, "parameter", name, known, "columns.variant")
    if seed in chosen:
        raise UserError(f"{recorded.where}: {seed!r} cannot be the seed and part of the variant")
    return chosen


def absent(recorded: Recorded, kind: str, name: str, known: Iterable[str], flag: str) -> UserError:
    """Return the error for a name that no run has."""
    return UserError(f"{recorded.where}: {unknown(kind, name, known)}; `{flag}=NAME` says which is meant")


def varying(runs: Sequence[RecordedRun]) -> list[str]:
    """Return the settings in which runs differ, but for those that tell all of them apart, as identities do."""
    values: dict[str, set[str | None]] = {}
    for name in dict.fromkeys(name for run in runs for name in run.settings):
        values[name] = {run.settings.get(name) for run in runs}
    return [
        name for name, found in values.items() if len(found) > 1 and (len(found) < len(runs) or len(runs) < 3)
    ]


def variant_of(settings: Mapping[str, str], names: Sequence[str]) -> str:
    """Return what a variant is called: "lr=0.1 depth=3"; one setting that speaks for itself is its value: "adam"."""
    if len(names) == 1:
        (name,) = names
        value = settings[name]
        return value if name in _SPEAKING or not _PLAIN.fullmatch(value) else f"{name}={value}"
    return " ".join(f"{name}={settings[name]}" for name in names)


def meant_baseline(given: str, names: Sequence[str]) -> str:
    """Return the variant that is meant: by its name, by its value alone, or with its settings in another order."""
    if given in names:
        return given
    words = sorted(re.split(r"[\s,]+", given.strip()))
    values = (given, given.replace(",", "."))  # a decimal comma
    same = [
        name
        for name in names
        if words == sorted(name.split()) or name.partition("=")[2] in values or name in values
    ]
    return same[0] if len(same) == 1 else given
