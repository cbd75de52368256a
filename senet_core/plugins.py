"""Plug-ins: entries that others write, in a file that the user names or in an installed package.

A plug-in registers its entries with the decorators of `senet_core.blocks.slots`. Loading one runs its code, so files
are loaded only when the user names them; packages announce themselves under the entry-point group
`senet_core.plugins`, with a module as the entry point's value.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from senet_core.backbones import BACKBONES
from senet_core.blocks.registry import Origin, Registry, registering_from
from senet_core.blocks.slots import FORMS, SLOTS
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError, one_line, typed_line

GROUP = "senet_core.plugins"
MOST_BYTES = 4 * MIB
"""Limit of a plug-in file."""

_loaded: dict[str, Origin] = {}


def load_plugin_file(path: str | Path) -> Origin:
    """Load a plug-in file, once, and register its entries.

    Args:
        path: a Python file.

    Returns:
        The origin under which its entries are registered; its digest is the file's content.

    Raises:
        UserError: the file cannot be read, fails when it runs, or registers nothing.
    """
    file, content = _read(path)
    digest = hashlib.sha256(content).hexdigest()[:12]
    # known by content: the same file under two names, or in a worker that another sweep already used, is one plug-in
    if digest in _loaded:
        return _loaded[digest]
    origin = Origin("file", file.name, digest)
    module_name = _module_name(digest)
    spec = spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"plug-in {str(path)!r} is not a Python file (*.py)")
    module = module_from_spec(spec)
    sys.modules[module_name] = module  # pickling an entry's class or function looks it up here
    # what was digested is what runs: the import system would prefer bytecode that may be of an older file
    _run(origin, str(path), lambda: exec(compile(content, file, "exec", dont_inherit=True), vars(module)))
    _check_registered(origin, str(path))
    _loaded[digest] = origin
    return origin


def _read(path: str | Path) -> tuple[Path, bytes]:
    try:
        file = Path(path).expanduser().resolve()
        return file, read_bounded(file, MOST_BYTES)
    except OSError as error:
        raise UserError(f"cannot read plug-in {str(path)!r}: {error.strerror or error}") from error
    except (RuntimeError, ValueError) as error:  # an unknown user's home, a loop of links, a null byte
        raise UserError(f"cannot read plug-in {str(path)!r}: {one_line(error)}") from error


def load_installed_plugins() -> list[Origin]:
    """Load the plug-ins of installed packages, once.

    Raises:
        UserError: one of them fails or registers nothing, with the package's name.
    """
    origins = []
    new: dict[str, tuple[Origin, str]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        package = point.dist.name if point.dist else point.name
        version = point.dist.version if point.dist else ""
        origin = Origin("package", f"{package} {version}".strip(), version)
        if point.value not in _loaded:
            shown = f"{origin.name} ({point.value})"
            _run(origin, shown, point.load)
            for registry in registries():  # where the module had been imported before, its entries are there
                registry.adopt(origin, point.module.partition(".")[0])
            new[point.value] = (origin, shown)
        origins.append(origin)
    # looked at last: one module of a package may import another that the package announces too
    for origin, shown in new.values():
        _check_registered(origin, shown)
    _loaded.update({value: origin for value, (origin, _) in new.items()})
    return origins


def _run(origin: Origin, shown: str, load: object) -> None:
    known = registries()
    try:
        with registering_from(origin):
            load()  # type: ignore[operator]
    except BaseException as error:  # a plug-in is foreign code: whatever it raises is said in one line
        _forget(origin, known)
        if isinstance(error, KeyboardInterrupt):
            raise
        said = (
            f": {one_line(error)}"
            if isinstance(error, UserError)
            else f" fails when loaded: {typed_line(error)}"
        )
        raise UserError(f"plug-in {shown}{said}") from error


def _check_registered(origin: Origin, shown: str) -> None:
    if not any(registry.has_entry_of(origin) for registry in registries()):
        raise UserError(
            f"plug-in {shown} registers nothing; it should use a decorator such as @SQUEEZES.register"
        )


def _forget(origin: Origin, known: list[Registry]) -> None:
    for registry in known:
        registry.forget(origin)


def _module_name(digest: str) -> str:
    return f"senet_core_plugin_{digest}"


def path_of(origin: Origin) -> Path | None:
    """Return where a plug-in file was when it was loaded; None for what is built in or of a package."""
    module = sys.modules.get(_module_name(origin.digest)) if origin.kind == "file" else None
    return None if module is None or module.__file__ is None else Path(module.__file__)


def registries() -> list[Registry]:
    """Return the registries of all slots, that of backbones, and that of the blocks that `insert_se` knows."""
    return [*SLOTS.values(), BACKBONES, FORMS]
