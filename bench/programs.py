"""What the programs of this folder share: the option for images, the answer in JSON, and how they refuse."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from senet_core.errors import UserError, one_line


def program_parser(description: str | None, **numbers: int) -> argparse.ArgumentParser:
    """Return a parser.

    Args:
        description: of the program.
        numbers: options that take a positive integer, with their defaults.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=_count, default=default, help="%(default)s if not given")
    return parser


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option for prepared images."""
    parser.add_argument("--data", type=Path, help="prepared CIFAR-10; random images without it")


def tell(**found: Any) -> None:
    """Print what was measured as JSON, on a line of its own."""
    print(json.dumps(found), flush=True)


def run_program(main: Callable[[], None]) -> None:
    """Call a program; what it refuses is one line, and exit status 2."""
    try:
        main()
    except UserError as error:
        print(one_line(error), file=sys.stderr)
        sys.exit(2)


def _count(text: str) -> int:
    """Return a positive integer.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)
