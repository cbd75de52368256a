"""Registries: what fills a slot is found by name, says where it is from, and bad names are refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from torch import Tensor

from senet_core import BACKBONES, SLOTS, UserError
from senet_core.blocks.registry import Origin, Registry, registering_from
from senet_core.errors import unknown

ALL = {**SLOTS, "backbone": BACKBONES}
FILE = Origin("file", "mine.py", "abc")


def twice(x: Tensor) -> Tensor:
    return 2 * x


@pytest.fixture
def registry() -> Registry:
    found = Registry("squeeze")
    for name in ("max", "avg"):
        found.register(name, source=f"source of {name}", differs="a little")(twice)
    return found


def test_an_entry_is_what_was_registered(registry: Registry) -> None:
    entry = registry["avg"]
    assert (entry.name, entry.build, entry.source, entry.differs) == (
        "avg",
        twice,
        "source of avg",
        "a little",
    )
    assert entry.traits == {}
    assert entry.origin == Origin()


def test_the_decorator_returns_what_it_decorates(registry: Registry) -> None:
    assert registry.register("other", source="ours")(twice) is twice


def test_names_come_sorted(registry: Registry) -> None:
    assert list(registry) == ["avg", "max"]
    assert len(registry) == 2
    assert "avg" in registry
    assert "sum" not in registry


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("avgg", "unknown squeeze 'avgg'; did you mean 'avg'? known: avg, max"),
        ("quantile", "unknown squeeze 'quantile'; known: avg, max"),
        ("", "unknown squeeze ''; known: avg, max"),
    ],
)
def test_an_unknown_name_is_said_with_the_nearest_known_one(
    registry: Registry, name: str, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        registry[name]
    assert str(caught.value) == message


def test_an_unknown_name_among_none() -> None:
    assert str(unknown("row", 3, [])) == "unknown row 3; known: none"


def test_a_name_is_registered_once(registry: Registry) -> None:
    with registering_from(FILE):
        registry.register("sum", source="ours")(twice)
    for name, by in (("avg", "built-in"), ("sum", "file mine.py")):
        with pytest.raises(UserError, match=f"^squeeze '{name}' is registered twice \\(first by {by}\\)$"):
            registry.register(name, source="another")(len)
        assert registry[name].build is twice


@pytest.mark.parametrize("name", ["", "two words", "a,b", "a=b", "a:b", "a/b", "a+b", "new\nline", '"'])
def test_names_that_would_break_a_variants_text_are_refused(registry: Registry, name: str) -> None:
    with pytest.raises(
        UserError, match=r"a squeeze is named by letters, digits, '-', '_' and '\.', got "
    ) as caught:
        registry.register(name, source="ours")
    assert repr(name) in str(caught.value)


def test_what_cannot_be_called_is_refused(registry: Registry) -> None:
    with pytest.raises(UserError, match=r"^squeeze 'seven' must be a function or a class, got 7$"):
        registry.register("seven", source="ours")(7)  # type: ignore[type-var]
    assert "seven" not in registry


class TestTraits:
    @pytest.fixture
    def registry(self) -> Registry:
        return Registry(
            "integration", traits={"gates": ("in", "out"), "size": None}, optional={"fast": False}
        )

    def test_are_kept_and_optional_ones_filled_in(self, registry: Registry) -> None:
        registry.register("a", source="", gates="in", size=[1])(twice)
        registry.register("b", source="", gates="out", size=0, fast=True)(twice)
        assert registry["a"].traits == {"gates": "in", "size": [1], "fast": False}
        assert registry["b"].traits == {"gates": "out", "size": 0, "fast": True}

    @pytest.mark.parametrize(
        ("traits", "message"),
        [
            ({"size": 1}, "integration 'a' must say gates=... when it is registered"),
            (
                {"gates": "inn", "size": 1},
                "gates of integration 'a' must be one of in, out, got 'inn'",
            ),
            (
                {"gates": "in", "size": 1, "gate": 1},
                "unknown trait of integration 'a' 'gate'; did you mean 'gates'? known: gates, size, fast",
            ),
        ],
    )
    def test_that_are_wrong_are_refused(
        self, registry: Registry, traits: dict[str, object], message: str
    ) -> None:
        with pytest.raises(UserError) as caught:
            registry.register("a", source="", **traits)
        assert str(caught.value) == message


def test_origins_nest_and_end_with_their_block_even_by_an_exception(registry: Registry) -> None:
    inner = Origin("package", "theirs 1.0", "1.0")
    with registering_from(FILE):
        with registering_from(inner):
            registry.register("inner", source="")(twice)
        with pytest.raises(UserError, match="twice"), registering_from(inner):
            registry.register("inner", source="")
        registry.register("outer", source="")(twice)
    registry.register("after", source="")(twice)
    assert [registry[name].origin for name in ("inner", "outer", "after")] == [inner, FILE, Origin()]
    assert [str(origin) for origin in (inner, FILE, Origin())] == [
        "package theirs 1.0",
        "file mine.py",
        "built-in",
    ]


def test_an_origin_is_forgotten_alone(registry: Registry) -> None:
    for origin in (FILE, Origin("file", "mine.py", "another content")):
        with registering_from(origin):
            registry.register(f"by-{origin.digest.split()[0]}", source="")(twice)
    registry.forget(FILE)
    assert list(registry) == ["avg", "by-another", "max"]


@pytest.mark.parametrize("slot", ALL)
def test_everything_built_in_says_where_it_is_from(slot: str) -> None:
    assert len(ALL[slot]) >= 1
    for name in ALL[slot]:
        entry = ALL[slot][name]
        assert re.search(r"arXiv:\d{4}\.\d{4,5}\b|\((CVPR|ICML)\)|ours", entry.source), (
            f"{slot} {name} has no source"
        )
        assert entry.origin == Origin()
        assert isinstance(entry.build, Callable)  # type: ignore[arg-type]


def test_the_papers_alternatives_are_all_there() -> None:
    for slot, names in {
        "squeeze": ["avg", "max", "none"],
        "excitation": ["relu", "sigmoid", "tanh"],
        "gate": ["bottleneck"],
        "fusion": ["add", "one-plus-scale", "scale"],
        "gate_init": ["he-normal", "torch", "zeros-last"],
        "integration": ["conv3x3", "identity", "post", "pre", "standard"],
        "block": ["se"],
    }.items():
        assert set(names) <= set(SLOTS[slot])
    for name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):
        assert name in BACKBONES
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"):
        assert name in BACKBONES
