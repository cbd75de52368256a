"""Registry: the alternatives for one slot of the design space, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from senet_core.errors import UserError, unknown

Build = TypeVar("Build", bound=Callable[..., Any])


@dataclass(frozen=True)
class Origin:
    """Who registered an entry.

    Attributes:
        kind: "built-in", "file" or "package".
        name: the file's path or the package's name and version; empty for what is built in.
        digest: identifies the code behind the entry (content hash of a file, version of a package), so that
            a trial of a changed plug-in is another trial; empty for what is built in.
    """

    kind: str = "built-in"
    name: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class Entry:
    """One alternative for a slot.

    Attributes:
        name: how studies call it.
        build: a plain function where the alternative has no state, else a class or factory.
        source: paper and equation, or "ours" and why.
        differs: how it departs from the source, in one clause.
        traits: what else the slot asks of its entries, by name.
        origin: the built-in code, file or package that registered it.
    """

    name: str
    build: Callable[..., Any]
    source: str
    differs: str = ""
    traits: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = Origin()


BUILT_IN = Origin()
_origins: list[Origin] = [BUILT_IN]


@contextmanager
def registering_from(origin: Origin) -> Iterator[None]:
    """Attribute what is registered inside the block to `origin`."""
    _origins.append(origin)
    try:
        yield
    finally:
        _origins.pop()


class Registry:
    """The alternatives for one slot, by name.

    Args:
        slot: the slot's name, as the paper calls it.
        traits: what every entry must state beside its source: the trait's name and the values it may
            take, or None where any value will do.
        optional: traits that an entry may state, each with the value that it has otherwise.
        also: characters that a name may have beside letters, digits, '-', '_' and '.'.
    """

    def __init__(
        self,
        slot: str,
        *,
        traits: Mapping[str, tuple[Any, ...] | None] | None = None,
        optional: Mapping[str, Any] | None = None,
        also: str = "",
    ) -> None:
        self.slot = slot
        self._traits = dict(traits or {})
        self._optional = dict(optional or {})
        self._also = also
        self._entries: dict[str, Entry] = {}

    def register(
        self, name: str, *, source: str | None = None, differs: str = "", **traits: Any
    ) -> Callable[[Build], Build]:
        """Add what is decorated under `name`.

        Raises:
            UserError: the name is taken or malformed, there is no source, or the traits are not those of the slot.
        """
        self._check_name(name)
        if source is None:
            raise UserError(
                f'{self.slot} {name!r} must say source="paper and equation", or "ours: why", when it is registered'
            )
        self._check_traits(name, traits)

        def add(build: Build) -> Build:
            if not callable(build):
                raise UserError(f"{self.slot} {name!r} must be a function or a class, got {build!r}")
            said = {**self._optional, **traits}
            self._entries[name] = Entry(name, build, source, differs, said, _origins[-1])
            return build

        return add

    def forget(self, origin: Origin) -> None:
        """Remove the entries of one origin: a plug-in that failed to load leaves nothing behind."""
        self._entries = {name: entry for name, entry in self._entries.items() if entry.origin != origin}

    def adopt(self, origin: Origin, package: str) -> None:
        """Attribute to an origin what its package registered when it was imported earlier."""
        for name, entry in self._entries.items():
            module = str(getattr(entry.build, "__module__", ""))
            if entry.origin == BUILT_IN and module.partition(".")[0] == package:
                self._entries[name] = replace(entry, origin=origin)

    def has_entry_of(self, origin: Origin) -> bool:
        """Return whether any entry is of an origin."""
        return any(entry.origin == origin for entry in self._entries.values())

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise unknown(self.slot, name, self)
        return self._entries[name]

    def _check_name(self, name: str) -> None:
        if (
            not isinstance(name, str)
            or not name
            or not all(c.isalnum() or c in "-_." + self._also for c in name)
        ):
            raise UserError(f"a {self.slot} is named by letters, digits, '-', '_' and '.', got {name!r}")
        if name in self._entries:
            raise UserError(
                f"{self.slot} {name!r} is registered twice (first by {self._entries[name].origin})"
            )

    def _check_traits(self, name: str, traits: Mapping[str, Any]) -> None:
        for trait in traits:
            if trait not in self._traits and trait not in self._optional:
                raise unknown(f"trait of {self.slot} {name!r}", trait, [*self._traits, *self._optional])
        for trait, allowed in self._traits.items():
            if trait not in traits:
                raise UserError(f"{self.slot} {name!r} must say {trait}=... when it is registered")
            if allowed is not None and traits[trait] not in allowed:
                raise UserError(
                    f"{trait} of {self.slot} {name!r} must be one of {', '.join(map(str, allowed))},"
                    f" got {traits[trait]!r}"
                )
