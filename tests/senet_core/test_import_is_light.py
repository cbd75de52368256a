"""Names, variants and plans are known without loading torch; a fresh process shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import senet_core

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "mlflow",
    "pandas",
    "matplotlib",
    "scipy",
    "sklearn",
    "ray",
    "optuna",
)


def heavy_after(code: str) -> list[str]:
    """Run code in a fresh process; return the heavy packages that it loaded."""
    report = f"import json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import senet_core",
        "import senet_core.variants.text",
        "import ablations.cli",
        "import ablations.planning.design",
        "from ablations.planning.study_file import load_study; from ablations.planning.design import design\n"
        "assert design(load_study('section6')).trials[0].key",
        "from senet_core import SQUEEZES, backbone_stages\nassert list(SQUEEZES) and backbone_stages('resnet50')",
        "from ablations.cli import group\ngroup.main(['list', '--json'], standalone_mode=False)",
        "from ablations.cli import group\ngroup.main(['status', 'first-epoch', '--json'], standalone_mode=False)",
    ],
)
def test_planning_loads_nothing_heavy(code: str) -> None:
    assert heavy_after(code) == []


def test_the_check_itself_sees_torch() -> None:
    assert "torch" in heavy_after("import senet_core; senet_core.SEBlock")


@pytest.mark.parametrize("name", senet_core.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(senet_core, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'senet_core' has no attribute 'SEBlok'$"):
        senet_core.SEBlok  # noqa: B018
