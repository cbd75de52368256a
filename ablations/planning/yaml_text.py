"""Reading YAML that a person wrote; refuses mistakes that the standard reader accepts without a message."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

import yaml

from ablations.errors import StudyError

MOST_CHARACTERS = 100_000
"""Limit of a text: ten times the longest study known; the reader takes seconds for it at worst."""

MOST_DIGITS = 100
"""Limit of the characters of one number: reading a long one takes time that grows with its square."""

MOST_VALUES = 10_000
"""Limit of values in one text, aliases counted at each use: many times what any study has."""

_MERGE = "tag:yaml.org,2002:merge"
_KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:int", _MERGE)
"""Names of fields, numbers of stages (`reduction: {2: 8, 3: 16}`), and `<<`."""


class _Reader(yaml.SafeLoader):
    """The standard reader of plain data, but 1e-3 is a number, which YAML 1.1 takes for text."""


_Reader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """Return a whole number of at most 63 bits; Python cannot even print very long ones in a message."""
    _refuse_long(node)
    _refuse_old(node)
    value = loader.construct_yaml_int(node)
    if abs(value) >= 2**63:
        raise ValueError(f"a whole number of more than 63 bits, {_place(node)}")
    return value


def _fraction(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    """Return a number as Python has it; one that is written in digits and becomes infinite is a mistake."""
    _refuse_long(node)
    _refuse_old(node)
    value = loader.construct_yaml_float(node)
    if math.isinf(value) and any(mark.isdigit() for mark in str(node.value)):
        raise ValueError(f"the number {node.value!r} is too large, {_place(node)}")
    return value


def _refuse_long(node: yaml.ScalarNode) -> None:
    if len(node.value) > MOST_DIGITS:
        raise ValueError(
            f"a number of {len(node.value):,} characters, at most {MOST_DIGITS} are read, {_place(node)}"
        )


def _refuse_old(node: yaml.ScalarNode) -> None:
    """Refuse octal numbers and numbers of base 60, which nobody means: YAML 1.1 has `010` for 8 and `1:30` for 90."""
    text = str(node.value)
    if ":" in text:
        raise ValueError(
            f"{text!r} is a number of base 60 in YAML 1.1; write it in digits, or in quotes, {_place(node)}"
        )
    if re.fullmatch(r"[-+]?0[0-9_]+", text):
        raise ValueError(
            f"{text!r} is an octal number in YAML 1.1; write it without the zero, or in quotes, {_place(node)}"
        )


_Reader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def _composed(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """Return a text in Unicode's composed form, in which names that look alike are alike; a path stays as it is."""
    text = loader.construct_yaml_str(node)
    return text if "/" in text or text.endswith(".py") else unicodedata.normalize("NFC", text)


_Reader.add_constructor("tag:yaml.org,2002:str", _composed)
_Reader.add_constructor("tag:yaml.org,2002:float", _fraction)


def read_yaml(text: str) -> Any:
    """Return the value of a YAML text of plain data.

    Raises:
        StudyError: the text is not YAML, has a field twice or one whose name is neither text nor a whole number,
            contains itself, is longer than `MOST_CHARACTERS`, or has more than `MOST_VALUES` values.
    """
    if len(text) > MOST_CHARACTERS:
        raise StudyError(f"{len(text):,} characters, and at most {MOST_CHARACTERS:,} are read")
    try:
        loader = _Reader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check(loader, node)
        return loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise StudyError(" ".join(str(error).split())) from error
    except (LookupError, AttributeError, TypeError) as error:  # how PyYAML refuses `!!bool maybe`
        raise StudyError("a value does not have the form that its tag (!!...) says") from error


def _check(loader: yaml.SafeLoader, root: yaml.Node) -> None:
    """Check the nodes before values are made of them, when merging and aliases cost nothing yet."""
    sizes: dict[yaml.Node, int] = {}
    begun: set[yaml.Node] = set()

    def size(node: yaml.Node) -> int:
        if node in sizes:
            return sizes[node]
        if node in begun:
            raise StudyError(f"a value contains itself, {_place(node)}")
        begun.add(node)
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            _check_keys(loader, node)
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes[node] = 1 + sum(size(child) for child in children)
        if sizes[node] > MOST_VALUES:
            raise StudyError(f"more than {MOST_VALUES} values, aliases included, {_place(node)}")
        return sizes[node]

    size(root)


def _check_keys(loader: yaml.SafeLoader, node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if key.tag not in _KEYS:
            shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
            raise StudyError(
                f"a field is named by text or a whole number, got {shown}; put a name in quotes, {_place(key)}"
            )
        name = "<<" if key.tag == _MERGE else loader.construct_object(key)
        if name in seen:
            raise StudyError(f"{name!r} is given twice, {_place(key)}")
        seen.add(name)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"


def yaml_value(value: object) -> str:
    """Write a value as YAML in one line, so that `read_yaml` reads it back."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
        .removesuffix("\n")
        .removesuffix("\n...")
    )
