"""An executor of the user's own, named on the command line: Dask's, submitit's, MPI's, or any other.

The seam is the interface of `concurrent.futures`: what is named is called with the number of trials at a time, and
returns an `Executor` whose workers can import this package and see the results and data folders.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor

from senet_core.errors import UserError

_FORM = "PACKAGE.MODULE:FACTORY, a function that takes the number of trials at a time and returns an executor"


def find_factory(spec: str) -> Callable[[int], Executor]:
    """Import what a name stands for, from the present folder or from what is installed.

    Args:
        spec: "package.module:factory".

    Returns:
        What opens the executor; it raises UserError where it does not return one.

    Raises:
        UserError: the name has another form, cannot be imported, or is nothing that can be called.
    """
    module_name, _, attribute = spec.partition(":")
    if not (module_name and attribute) or not all(
        map(str.isidentifier, [*module_name.split("."), attribute])
    ):
        raise UserError(f"--executor takes {_FORM}; got {spec!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module of the user's may raise anything
        raise UserError(f"--executor {spec}: {module_name} cannot be imported: {error!r}") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        what = "has no such name" if factory is None else "cannot be called"
        raise UserError(f"--executor {spec}: {attribute} {what} in {module_name}; wanted is {_FORM}")

    def opened(workers: int) -> Executor:
        try:
            made = factory(workers)
        except Exception as error:
            raise UserError(f"--executor {spec}: {attribute}({workers}) failed: {error!r}") from error
        if not isinstance(made, Executor):
            raise UserError(
                f"--executor {spec}: {attribute}({workers}) returned {made!r}, which is no executor"
            )
        return made

    return opened
