"""YAML 1.1 has numbers that nobody writes on purpose; they are refused, and what looks like them in quotes is text."""

from __future__ import annotations

import pytest

from ablations.errors import StudyError
from ablations.planning.yaml_text import read_yaml


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "010",
            "'010' is an octal number in YAML 1.1; write it without the zero, or in quotes, line 1, column 4",
        ),
        ("-010", "'-010' is an octal number"),
        ("0_7", "'0_7' is an octal number"),
        (
            "1:30",
            "'1:30' is a number of base 60 in YAML 1.1; write it in digits, or in quotes, line 1, column 4",
        ),
        ("1:30.5", "'1:30.5' is a number of base 60"),
        ("[0.1, 190:20:30]", "'190:20:30' is a number of base 60"),
    ],
)
def test_a_number_that_means_another_one_is_refused(text: str, why: str) -> None:
    with pytest.raises(StudyError) as caught:
        read_yaml(f"a: {text}")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("00.5", 0.5),
        ("1_000", 1000),
        ("0x10", 16),
        ("'010'", "010"),
        ("'1:30'", "1:30"),
        ("089", "089"),
    ],
)
def test_what_it_says_is_read(text: str, value: object) -> None:
    assert read_yaml(f"a: {text}") == {"a": value}
