"""No module of senet_core needs itself, by way of others: not inside functions and not for types either."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]


def module_names() -> dict[str, Path]:
    """Every module of the package by its name."""
    paths = {path.relative_to(ROOT).with_suffix(""): path for path in (ROOT / "senet_core").rglob("*.py")}
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in paths.items()}


def imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """What a file imports of the package, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                part = f"{node.module}.{alias.name}"
                found.add(part if part in modules else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in modules}
    return found


def test_imports_go_one_way() -> None:
    modules = module_names()
    graph = {name: imported(path, modules) for name, path in modules.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(
        modules
    )  # a circle is an error that shows it


def test_only_kernels_import_kernels() -> None:
    modules = module_names()
    kernels = {name for name in modules if name.startswith("senet_core.kernels")}
    for name in modules.keys() - kernels:
        assert not imported(modules[name], modules) & kernels, name
