"""Plug-ins that raise: anything, anywhere, with any text."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mutations import TOKENS, VALUES

from senet_core.contracts import behaviour
from senet_core.contracts.contract import ContractBroken
from senet_core.contracts.specimens import specimens_of
from senet_core.plugins import load_plugin_file

TEMPLATE = """
from senet_core.blocks.slots import SQUEEZES
{definitions}
@SQUEEZES.register("fuzzed{number}", source="none")
class Squeeze(torch.nn.Module):
    def __init__(self):
        super().__init__()
        {in_init}
    def forward(self, x):
        {in_forward}
        return x.mean(dim=(2, 3))
{at_the_end}
"""

DEFINITIONS = """
import sys, torch
from senet_core.errors import UserError
text = TEXT
class Silent(Exception):
    def __str__(self): raise RuntimeError("no text")
class Wrong(Exception):
    def __str__(self): return 3
class Ending(Exception):
    def __str__(self): raise SystemExit(5)
class Deep(Exception):
    def __str__(self): return str(self)
class Odd(BaseException): pass
class Twice(Exception):
    def __str__(self): return str(Silent())
Named = type("\\x1b[2J\\u202e" + "N" * 300, (Exception,), {})
def recurse(): return recurse()
"""

RAISES = [
    "raise ValueError(text)",
    "raise UserError(text)",
    "raise Silent()",
    "raise Wrong()",
    "raise Ending()",
    "raise Deep()",
    "raise Odd(text)",
    "raise Twice()",
    "raise Named(text)",
    "raise SystemExit(text)",
    "raise SystemExit(3)",
    "sys.exit(0)",
    "raise KeyboardInterrupt(text)",
    "raise GeneratorExit",
    "raise StopIteration(text)",
    "recurse()",
    "raise MemoryError",
    "raise OSError(28, text)",
    "raise ExceptionGroup(text, [ValueError(text)])",
    "raise BaseExceptionGroup(text, [Odd(text)])",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, text)",
    "raise RuntimeError('out of memory ' + text)",
    "raise KeyError(text)",
    "raise ValueError(Silent())",
    "raise UserError(Silent())",
    "1 / 0",
    "assert False, text",
    "raise",
    "raise SyntaxError(text)",
    "eval('(' * 200 + text)",
    "x = yield",
    "raise AssertionError",
]


def messages(here: Path) -> Sequence[bytes]:
    return [
        json.dumps({"text": "fine", "end": "pass", "init": "pass", "forward": "pass", "number": -1}).encode()
    ]


def mutate(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    texts = [value for value in VALUES if isinstance(value, str)] + [t.decode("latin1") for t in TOKENS]
    places = {
        place: draw.choice(RAISES) if draw.random() < 0.5 else "pass" for place in ("end", "init", "forward")
    }
    return json.dumps({"text": draw.choice(texts), **places, "number": draw.randrange(10**9)}).encode()


def load(here: Path, data: bytes, number: int) -> None:
    """Load a plug-in, and build and run its squeeze as `ablate check-plugin` does."""
    want = json.loads(data)
    source = TEMPLATE.format(
        definitions=DEFINITIONS.replace("TEXT", ascii(want["text"])),
        number=want["number"],
        in_init=want["init"],
        in_forward=want["forward"],
        at_the_end=want["end"],
    )
    (here / "a.py").write_text(source, encoding="utf-8")
    try:
        load_plugin_file(here / "a.py")
        for specimen in specimens_of("squeeze", f"fuzzed{want['number']}"):
            for examine in (behaviour.construction, behaviour.determinism):
                with suppress(ContractBroken):
                    examine(specimen, "squeeze")
    except KeyboardInterrupt:  # which is how Ctrl-C comes, too
        assert any(want[place].startswith("raise KeyboardInterrupt") for place in ("end", "init", "forward"))
