"""The user's own executor, by its name: Dask's, submitit's, MPI's, or any other.

Its factory is called with the number of trials at a time, and returns an `Executor` of `concurrent.futures` whose
workers can import this package and see the results and data folders.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor

from senet_core.errors import UserError

_FORM = "PACKAGE.MODULE:FACTORY, a function that takes the number of trials at a time and returns an executor"


def import_factory(spec: str) -> Callable[[int], Executor]:
    """Return the factory with a name, imported from the working directory or from what is installed.

    Args:
        spec: "package.module:factory".

    Returns:
        A function of the number of trials at a time; it raises UserError where no executor can be made.

    Raises:
        UserError: the name has another form, cannot be imported, or cannot be called.
    """
    module_name, _, attribute = spec.partition(":")
    if not (module_name and attribute) or not all(
        map(str.isidentifier, [*module_name.split("."), attribute])
    ):
        raise UserError(f"`executor` takes {_FORM}; got {spec!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module of the user's may raise anything
        raise UserError(f"executor {spec}: {module_name} cannot be imported: {error!r}") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        what = "has no such name" if factory is None else "cannot be called"
        raise UserError(f"executor {spec}: {attribute} {what} in {module_name}; wanted is {_FORM}")

    def opened(workers: int) -> Executor:
        try:
            made = factory(workers)
        except Exception as error:
            raise UserError(f"executor {spec}: {attribute}({workers}) failed: {error!r}") from error
        if not isinstance(made, Executor):
            raise UserError(
                f"executor {spec}: {attribute}({workers}) returned {made!r}, which is no executor"
            )
        return made

    return opened
