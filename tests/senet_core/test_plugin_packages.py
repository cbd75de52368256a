"""Plug-ins by an installed package; what is broken is said in a line and leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from senet_core import SQUEEZES, SEVariant, UserError, build_model
from senet_core.plugins import load_installed_plugins, registries

pytestmark = pytest.mark.usefixtures("own_registries")

POWER = """
from senet_core import SQUEEZES

@SQUEEZES.register("{name}", source="ours: a test")
def squeeze(x):
    return x.pow(2).mean(dim=(2, 3)) * {factor}
"""


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def power(name: str = "power", factor: int = 1) -> str:
    return POWER.format(name=name, factor=factor)


def registered() -> dict[str, list[str]]:
    return {registry.slot: list(registry) for registry in registries()}


def install(site: Path, name: str, version: str, points: dict[str, str]) -> None:
    """Write what pip leaves of a package that announces plug-ins."""
    lines = ["[senet_core.plugins]", *(f"{key} = {value}" for key, value in points.items())]
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    write(folder / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    write(folder / "entry_points.txt", "\n".join(lines) + "\n")


class TestPackage:
    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.syspath_prepend(str(tmp_path))
        yield tmp_path
        for name in [name for name in sys.modules if name.startswith("their_")]:
            del sys.modules[name]

    def test_its_entries_are_used_by_name_and_known_by_origin(self, site: Path) -> None:
        write(site / "their_squeezes.py", power("theirs"))
        install(site, "their-squeezes", "1.2", {"anything": "their_squeezes"})
        assert "theirs" not in SQUEEZES
        (origin,) = load_installed_plugins()
        assert SQUEEZES["theirs"].origin == origin
        assert (str(origin), origin.digest) == ("package their-squeezes 1.2", "1.2")
        model = build_model("resnet8", SEVariant(squeeze="theirs"), num_classes=10, seed=0)
        assert model(torch.randn(2, 3, 8, 8)).shape == (2, 10)

    def test_is_loaded_once(self, site: Path) -> None:
        write(site / "their_once.py", power("theirs"))
        install(site, "their-once", "1.0", {"a": "their_once"})
        assert load_installed_plugins() == load_installed_plugins()
        assert [name for name in SQUEEZES if SQUEEZES[name].origin.kind != "built-in"] == ["theirs"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (power() + "1 / 0", " fails when loaded: ZeroDivisionError: division by zero"),
            (power() + "raise SystemExit(3)", " fails when loaded: SystemExit: 3"),
            (power() + power("max"), ": squeeze 'max' is registered twice (first by built-in)"),
            ("x = 1", " registers nothing; it should use a decorator such as @SQUEEZES.register"),
            (None, " fails when loaded: ModuleNotFoundError: No module named 'their_broken'"),
        ],
    )
    def test_that_is_broken_is_refused_by_name(self, site: Path, content: str | None, reason: str) -> None:
        if content is not None:
            write(site / "their_broken.py", content)
        install(site, "their-broken", "0.1", {"a": "their_broken"})
        before = registered()
        with pytest.raises(UserError) as caught:
            load_installed_plugins()
        assert str(caught.value) == f"plug-in their-broken 0.1 (their_broken){reason}"
        assert registered() == before

    def test_may_announce_a_module_that_another_of_its_modules_imports(self, site: Path) -> None:
        write(site / "their_all.py", "import their_part\n" + power("whole"))
        write(site / "their_part.py", power("part"))
        install(site, "their-all", "1.0", {"a": "their_all", "b": "their_part"})
        load_installed_plugins()
        assert {"whole", "part"} <= set(SQUEEZES)

    def test_may_have_been_imported_before(self, site: Path) -> None:
        """Its entries are then its own, digest and all, and not taken for built in."""
        write(site / "their_early.py", power("early"))
        install(site, "their-early", "2.0", {"a": "their_early"})
        __import__("their_early")
        assert str(SQUEEZES["early"].origin) == "built-in"
        (origin,) = load_installed_plugins()
        assert SQUEEZES["early"].origin == origin
        assert origin.digest == "2.0"

    def test_shows_in_the_list_of_names(self, tmp_path: Path) -> None:
        write(tmp_path / "their_listed.py", power("theirs"))
        install(tmp_path, "their-listed", "3.4", {"a": "their_listed"})
        code = "from ablations.cli import main; main(['list', 'squeeze', '--json'])"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        origins = {row["name"]: row["origin"] for row in json.loads(done.stdout)}
        assert origins == dict.fromkeys(SQUEEZES, "built-in") | {"theirs": "package their-listed 3.4"}
