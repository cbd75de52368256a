"""The statistics know no study: they import nothing else of the package."""

from __future__ import annotations

import ast
from pathlib import Path

from ablations.analysis import stats

OWN = "ablations.analysis.stats."


def test_statistics_import_nothing_else_of_the_package() -> None:
    files = list(Path(stats.__file__).parent.rglob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {m for m in modules if m.startswith("ablations")} == {m for m in modules if m.startswith(OWN)}
