"""The house: who may import whom, no circles, no heaps, one name for one thing. Read from the code itself."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("senet_core", "ablations")
MOST_MODULES = 20
MOST_PARAMETERS = 8

FLOORS = ("errors", "planning", "running", "analysis", "experiments", "api", "commands", "cli", "__main__")
"""The packages of ablations; each imports only what stands left of it."""

ROOMS = {
    "ablations.planning": ("", "designs", "choices"),
    "ablations.running": (
        "machine", "record", "data", "trials", "training", "probe", "testing", "executors", "search", "mlflow",
        "cost", "sweep", "doctor",
    ),
    "ablations.analysis": (
        "stats", "results", "tables", "networks", "calibration", "programs", "plots", "tested", "report",
        "probe", "external", "costs",
    ),
    "ablations.commands": ("shared", "analysis", ""),
}  # fmt: skip
"""The rooms of a package; each imports only what stands left of it. "" is the package's own modules."""

FREE = {"ablations.planning"}
"""Packages whose own modules and rooms may know each other, as long as there is no circle of modules."""

EXCEPTIONS = {
    ("ablations.analysis.results.results", "ablations.analysis.tables"): "what a notebook holds shows itself",
    ("ablations.analysis.results.results", "ablations.analysis.plots"): "what a notebook holds shows itself",
    ("ablations.analysis.results.results", "ablations.analysis.programs"): "results are a dict for programs",
    (
        "ablations.analysis.results.frame_results",
        "ablations.analysis.programs",
    ): "results are a dict for programs",
    (
        "ablations.analysis.results.frame_results",
        "ablations.analysis.tables",
    ): "what a notebook holds shows itself",
    (
        "ablations.analysis.results.frame_results",
        "ablations.analysis.plots",
    ): "what a notebook holds shows itself",
}


NOT_NAMES = {"NAME", "cpp", "json", "jsonl", "md", "py", "yaml"}
"""What may stand behind a dot in a text without being a name in the code: endings of files, and what is filled in."""


class Import(NamedTuple):
    """One import statement: of a module, by a module; `runs` is False where only a type checker reads it."""

    by: str
    of: str
    runs: bool


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for name, path in modules().items() for found in _imports_of(name, path))


def _imports_of(name: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        targets: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if target in modules() else node.module for target in inner]
        elif isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names if alias.name in modules()]
        yield from (Import(name, of, node not in for_types) for of in dict.fromkeys(targets) if of != name)


def _is_allowed(found: Import) -> bool:
    return any(found.by == by and found.of.startswith(of) for by, of in EXCEPTIONS)


def test_the_networks_know_nothing_of_the_harness() -> None:
    assert not [
        f"{i.by} imports {i.of}" for i in imports() if i.by.startswith("senet_core") and "ablations" in i.of
    ]


def test_each_floor_imports_only_what_stands_left_of_it() -> None:
    def floor(name: str) -> int | None:
        parts = name.split(".")
        return FLOORS.index(parts[1]) if parts[0] == "ablations" and len(parts) > 1 else None

    wrong = []
    for found in imports():
        here, there = floor(found.by), floor(found.of)
        if here is not None and there is not None and there > here:
            wrong.append(f"{found.by} imports {found.of}")
    assert wrong == []
    assert {name.split(".")[1] for name in modules() if name.startswith("ablations.")} == set(FLOORS)


@pytest.mark.parametrize("package", sorted(ROOMS.keys() - FREE))
def test_each_room_imports_only_what_stands_left_of_it(package: str) -> None:
    rooms = ROOMS[package]

    def room(name: str) -> str | None:
        if not name.startswith(f"{package}."):
            return None
        first, _, rest = name.removeprefix(f"{package}.").partition(".")
        return first if rest or first in rooms else ""

    wrong = []
    for found in imports():
        here, there = room(found.by), room(found.of)
        if here is None or there is None or _is_allowed(found):
            continue
        if rooms.index(there) > rooms.index(here):
            wrong.append(f"{found.by} imports {found.of}")
    assert wrong == []
    assert {room(name) for name in modules() if room(name) is not None} <= set(rooms)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    of: dict[str, set[str]] = defaultdict(set)
    for found in imports():
        inside = found.by.startswith(package) and found.of.startswith(package)
        parents = found.of == package or found.by.startswith(f"{found.of}.")  # a package's own front
        if inside and found.runs and not parents and not _is_allowed(found):
            of[found.by].add(found.of)
    assert list(_circles(of)) == []


def _circles(of: dict[str, set[str]]) -> Iterator[str]:
    """Return a circle for each module that closes one, by depth-first search."""
    state: dict[str, int] = {}

    def visit(name: str, path: list[str]) -> Iterator[str]:
        state[name] = 1
        for other in sorted(of.get(name, ())):
            if state.get(other) == 1:
                yield " -> ".join([*path[path.index(other) :], other])
            elif other not in state:
                yield from visit(other, [*path, other])
        state[name] = 2

    for name in sorted(of):
        if name not in state:
            yield from visit(name, [name])


def test_no_folder_is_a_heap() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in modules().values():
        counts[str(path.parent.relative_to(ROOT))] += path.name != "__init__.py"
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_function_has_more_than_eight_parameters() -> None:
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or any(
                "click" in ast.unparse(d) for d in node.decorator_list
            ):
                continue
            a = node.args
            given = [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs) if x.arg not in ("self", "cls")]
            if len(given) > MOST_PARAMETERS:
                wrong.append(f"{name}.{node.name}: {len(given)}")
    assert wrong == []


def test_no_two_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_only_a_design_itself_asks_for_its_name() -> None:
    from ablations.planning.designs import DESIGNS

    wrong = []
    for name, path in modules().items():
        if name.startswith("ablations.planning.designs"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and ".design" in ast.unparse(node):
                asked = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
                wrong += [f"{name}:{node.lineno}"] if asked & DESIGNS.keys() else []
    assert wrong == []


PATH_IN_TEXT = re.compile(r"(?<![\w/])(?:ablations|senet_core|bench|tools|tests)/[\w/]+\.py\b")
NAME_IN_TEXT = re.compile(r"`((?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*)(?:\(\))?`")


def test_no_text_names_what_is_not_there() -> None:
    files = [path for folder in (*PACKAGES, "bench", "tools") for path in (ROOT / folder).rglob("*.py")]
    known = {part for path in files for part in path.relative_to(ROOT).with_suffix("").parts}
    docs, wrong = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], []
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path in docs}
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts[path] = [
            n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        for field in ("id", "attr", "arg", "name", "module"):
            found = (getattr(n, field, None) for n in ast.walk(tree))
            known |= {part for name in found if isinstance(name, str) for part in name.split(".")}
    for path, lines in texts.items():
        text = "\n".join(
            line for line in lines if ", commit " not in line
        )  # a recorded command is of its commit
        wrong += [f"{path}: {file}" for file in PATH_IN_TEXT.findall(text) if not (ROOT / file).is_file()]
        if path in files:
            named = (set(name.split(".")) for name in NAME_IN_TEXT.findall(text))
            wrong += [
                f"{path}: {'.'.join(sorted(name - known))}" for name in named if name - known - NOT_NAMES
            ]
    assert wrong == []
