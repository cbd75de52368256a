"""A function on its way from Python to the workers that call it, and never in a file."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from ablations.errors import StudyError
from senet_core.errors import one_line

BY_VALUE = "by_value"
"""The field of an experiment that holds one; no study file can."""


class ByValue:
    """A function that no worker could import, as cloudpickle writes it.

    Args:
        content: what cloudpickle made of it, in this process or in the one that started it.
    """

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def function(self) -> Callable[[Any, Any], Any]:
        """Return the function.

        Raises:
            StudyError: it cannot be made again here.
        """
        try:
            found: Callable[[Any, Any], Any] = pickle.loads(self.content)
        except Exception as error:  # whatever its modules raise
            raise StudyError(f"the function cannot be made again here: {one_line(error)}") from error
        return found
