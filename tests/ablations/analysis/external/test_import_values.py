"""A recorded setting is text, and means the planned value that it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.external.importing.values import meant
from ablations.planning.factors.values import canonical


def place_of(text: str, *planned: Any, folder: str = ".") -> int | None:
    return meant(
        text, [canonical(value, folder) for value in planned], lambda value: canonical(value, folder)
    )


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("0.10", [0.2, 0.1]),
        ("1e-1", [1, 0.1]),
        ("1.0", [2, 1]),
        ("-3", [3, -3]),
        ("True", [False, True]),
        ("0", [True, False]),
        ("0", [False, 0]),
        ("None", ["none of it", None]),
        ("", ["a", None]),
        ("adam", ["sgd", "adam"]),
        ("1", ["one", "1"]),
        ("[64, 128]", [[64], [64, 128]]),
        ("(64, 128)", [[128, 64], [64.0, 128]]),
        ("64, 0.50", [[64], [64, 0.5]]),
    ],
)  # fmt: skip
def test_a_text_means_the_value_that_it_says(text: str, planned: Sequence[Any]) -> None:
    assert place_of(text, *planned) == 1


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("true", 1),
        ("0.1000001", 0.1),
        ("nan", 0.0),
        ("Adam", "adam"),
        ("[64]", [64, 64]),
        ("", 0),
        ("[" * 9999, 1),
    ],
)
def test_a_text_means_no_other_value(text: str, planned: Any) -> None:
    assert place_of(text, planned) is None


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    for name, content in (("a.yaml", "1"), ("same.yaml", "1"), ("other.yaml", "2")):
        (tmp_path / name).write_text(content)
    planned = {"file": "a.yaml"}
    assert place_of("same.yaml", planned, folder=str(tmp_path)) == 0
    assert place_of("other.yaml", planned, folder=str(tmp_path)) is None
    assert place_of("gone.yaml", planned, folder=str(tmp_path)) is None
