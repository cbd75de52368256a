"""`import ablations` costs nothing, and has every name that it promises."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import ablations as ab

HEAVY = (
    "torch",
    "torchvision",
    "pandas",
    "numpy",
    "scipy",
    "mlflow",
    "optuna",
    "matplotlib",
    "pydantic",
    "yaml",
)


def test_importing_it_imports_no_library() -> None:
    code = f"import sys, ablations; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("[]\n", "")


@pytest.mark.parametrize("name", ab.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert callable(getattr(ab, name))
    assert name in dir(ab)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'ablations' has no attribute 'sweep'"):
        _ = ab.sweep


def test_every_error_is_a_user_error() -> None:
    for error in (ab.DataError, ab.RecordError, ab.StudyError, ab.ToolMissing):
        assert issubclass(error, ab.UserError)


def test_the_version_is_that_of_the_package() -> None:
    """It is asked for by nobody who only imports."""
    assert ab.__version__ == version("senet-ablations")
    assert "__version__" in dir(ab)
