"""Files that nobody should write, made of valid ones: bytes changed anywhere, or a value inside JSON and YAML."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

DEEP = 20_000

TOKENS = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\x1b[2J\x1b]0;x\x07",
    b'"',
    b"'",
    b",",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"9" * 400,
    b"9" * 5000,
    b"0x" + b"f" * 5000,
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"{" * 50,
    b"[" * DEEP,
    b'{"a":' * 3000,
    b"\\ud800",
    b"\\u0000",
    b"\\udfff\\ud800",
    b"- " * 400,
    b"../../x",
    b"/etc/passwd",
    b"%s%n{0}",
    b"=1+1",
    b"<script>",
    b"$(true)",
    b"*a",
    b"&a ",
    b"!!python/name:os.system",
    "\u202e\u2066\u200b".encode(),
    "\u2028\u0085".encode(),
    "e\u0301".encode() * 50,
    "\U0001f600".encode(),
    b"x" * 70000,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80\x00\x00\x00\x00\x00\x00\x00",
    b"1:1:1",
    b"190:20:30",
    b"_",
    b"\x1a",
]
"""What is put between or over the bytes of a file."""

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**30,
    10**400,
    0.5,
    1e308,
    -1e-308,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    " ",
    "x",
    "0",
    "\0",
    "\n",
    "\x1b[31m\x9b2J",
    "\ud800",
    "a\udfffb",
    "\u202eabc\u2066",
    "\u2028",
    "e\u0301" * 50,
    "x" * 70000,
    "../../x",
    "/",
    "%s{0}",
    "<b>",
    "=1+1",
    "|",
    "NaN",
    "1e400",
    "finished",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"x": {"y": []}},
    [1, "a", None],
    [float("nan")],
    {"\ud800": 1},
    ["\x1b"],
    [0] * 3000,
]
"""What takes the place of a value in JSON or YAML."""

Mutation = Callable[[random.Random, Sequence[bytes]], bytes]


def mutate_bytes(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Change one of some valid files in one to six places."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        _change(draw, data, seeds)
    return bytes(data)


def _change(draw: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    # the heads of binary files say how the rest is to be read: they are hit as often as all else
    near = min(len(data), 600) if draw.random() < 0.5 else len(data)
    at = draw.randint(0, near)
    deed = draw.randrange(7)
    if deed == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << draw.randrange(8)
    elif deed == 1 and data:
        data[min(at, len(data) - 1)] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
    elif deed == 2:
        del data[at:]
    elif deed == 3:
        del data[at : at + draw.choice((1, 2, 8, 100, 512))]
    elif deed == 4:
        data[at:at] = data[at : at + draw.choice((1, 8, 100, 2000))] * draw.choice((1, 2, 10))
    elif deed == 5:
        other = draw.choice(seeds)
        start = draw.randint(0, len(other))
        data[at : at + draw.choice((0, 50, 1000))] = other[start : start + draw.choice((8, 100, 2000))]
    else:
        token = draw.choice(TOKENS)
        data[at : at + draw.choice((0, 0, len(token)))] = token


def mutate_json(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Change values in JSON, one document or one a line; a third of the time the bytes."""
    if draw.random() < 0.33:
        return mutate_bytes(draw, seeds)
    text = draw.choice(seeds)
    lines = text.splitlines() if text.count(b"\n") < 2 or text.startswith(b'{"') else [text]
    for _ in range(draw.choice((1, 1, 2))):
        at = draw.randrange(len(lines))
        try:
            value = change_value(draw, json.loads(lines[at]))
        except ValueError:  # changed already, to what JSON does not have
            continue
        lines[at] = json.dumps(value, ensure_ascii=draw.random() < 0.8).encode("utf-8", "surrogatepass")
    if draw.random() < 0.1:
        lines.insert(draw.randint(0, len(lines)), draw.choice(lines))
    return b"\n".join(lines) + b"\n"


def mutate_yaml(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Change values in YAML; half of the time the bytes."""
    if draw.random() < 0.5:
        return mutate_bytes(draw, seeds)
    value = yaml.safe_load(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 2))):
        value = change_value(draw, value)
    return json.dumps(value, ensure_ascii=draw.random() < 0.8).encode("utf-8", "surrogatepass")


def change_value(draw: random.Random, content: Any) -> Any:
    """Return a value in which one inner value was replaced, removed, renamed or added."""
    content = copy.deepcopy(content)
    at = draw.choice(list(_places(content)))
    value = copy.deepcopy(draw.choice(VALUES))
    if not at:
        return value if draw.random() < 0.3 else content
    parent = content
    for key in at[:-1]:
        parent = parent[key]
    deed = draw.randrange(8)
    if deed == 0:
        del parent[at[-1]]
    elif deed == 1 and isinstance(parent, dict):
        parent[draw.choice(("", "x", "\ud800", "seed", "key", "data", "\x1b[2J"))] = parent.pop(at[-1])
    elif deed == 2 and isinstance(parent, list):
        parent.append(value)
    elif deed == 3:
        parent[at[-1]] = [parent[at[-1]]]
    else:
        parent[at[-1]] = value
    return content


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*at, key))
